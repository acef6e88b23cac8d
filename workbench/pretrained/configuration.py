"""Checks that a model's configuration can be trained here, with clear errors when it cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

from workbench.errors import ModelError
from workbench.pretrained.locate import locate
from workbench.pretrained.model_folder import Tensor

_ENCODER = "Choose an encoder, such as BERT, RoBERTa or ModernBERT."
_NO_CODE = "The workbench never runs a model's own code. Choose a model type that transformers knows."
_WHOLE_NUMBERS = frozenset(
    {"I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "BOOL", "F8_E4M3", "F8_E5M2"}
)
"""Data types of quantised weights; 8-bit floats need a scale from another tensor."""


def check_config(name: str, config: Any) -> None:
    """Raises ModelError if the model is not a masked language model or cannot be trained as one."""
    kind = config.model_type
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(f"{name} is an encoder-decoder ({kind}), not a masked language model.", _ENCODER)
    if type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
        raise ModelError(f"{name} is a {kind} model, which has no masked-language-model head.", _ENCODER)
    layers = getattr(config.get_text_config(), "num_hidden_layers", None)
    if isinstance(layers, int) and layers < 1:
        raise ModelError(
            f"The config.json of {name} describes a model of {layers} layers (num_hidden_layers).",
            "Replace it with the config.json that save_pretrained wrote.",
        )
    if quantised := getattr(config, "quantization_config", None):
        values = quantised if isinstance(quantised, Mapping) else vars(quantised)
        method = str(getattr(values.get("quant_method"), "value", values.get("quant_method")) or "")
        raise _quantised(name, f" ({method})" if method else "")
    if kind == "xmod" and getattr(config, "default_language", None) is None:
        languages = ", ".join(map(str, getattr(config, "languages", None) or ())) or "none"
        raise ModelError(
            f"{name} is an X-MOD model, which has one adapter per language, but its config.json sets no "
            "default_language.",
            f"Set default_language in config.json to one of: {languages}.",
        )


def refuse_whole_numbers(name: str, tensors: Mapping[str, Tensor]) -> None:
    """Raises ModelError for weights stored as integers: they are quantised and cannot be trained."""
    for key, tensor in tensors.items():
        if tensor.dtype in _WHOLE_NUMBERS and key.endswith(".weight"):
            raise _quantised(name, f": {key} is stored as {tensor.dtype}")


def explain_config(text: str, name: str) -> ModelError | None:
    """A ModelError for transformers' error message about a configuration; None if the message is unknown."""
    is_unknown = re.search(r"model type `?([^`\s]+)`? but Transformers does not recognize", text)
    if "custom code" in text or "trust_remote_code" in text or (is_unknown and _has_own_code(name)):
        return ModelError(
            f"{name} is defined by its own Python code (auto_map in its config.json).", _NO_CODE
        )
    if is_unknown:
        return ModelError(
            f"{name} is a {is_unknown[1]} model, which the installed transformers does not know.",
            "Choose another model; a newer transformers may know it.",
        )
    if "Unrecognized model" in text or "should have a `model_type`" in text.lower():
        return ModelError(
            f"The config.json of {name} does not say what kind of model it is (model_type).",
            "Replace it with the config.json that save_pretrained wrote.",
        )
    if "not a valid JSON file" in text:
        return ModelError(f"The config.json of {name} is not JSON.", "Copy or download it again.")
    if match := re.search(r"Validation error for field '(\w+)'", text):
        return ModelError(
            f"The config.json of {name} cannot be used: {match[1]} has an invalid value.",
            "Replace it with the config.json that save_pretrained wrote.",
        )
    return None


def _quantised(name: str, how: str) -> ModelError:
    return ModelError(
        f"The weights of {name} are quantised{how}: such weights cannot be trained.",
        "Use the model it was quantised from, in float32, bfloat16 or float16.",
    )


def _has_own_code(name: str) -> bool:
    """Whether a folder's config.json names Python code of the model's own."""
    try:
        config = json.loads((Path(locate(name)) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and bool(config.get("auto_map"))
