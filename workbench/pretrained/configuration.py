"""Whether a configuration is one that can be trained here: refused in words of ours where it is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

from workbench.errors import ModelError
from workbench.pretrained.model_folder import Tensor

_ENCODER = "Choose an encoder, such as BERT, RoBERTa or ModernBERT."
_NO_CODE = "The workbench runs no model's code. Choose a model of a kind that transformers knows."
_WHOLE_NUMBERS = frozenset(
    {"I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "BOOL", "F8_E4M3", "F8_E5M2"}
)
"""Types that a trained weight does not have; 8-bit floats need a scale from another tensor."""


def check_config(name: str, config: Any) -> None:
    """Raises ModelError for what is not a masked language model, or cannot be trained as one."""
    kind = config.model_type
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(f"{name} is an encoder-decoder ({kind}), not a masked language model.", _ENCODER)
    if type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
        raise ModelError(f"{name} is a {kind} model, which has no masked-language-model head.", _ENCODER)
    if quantized := getattr(config, "quantization_config", None):
        values = quantized if isinstance(quantized, Mapping) else vars(quantized)
        method = str(getattr(values.get("quant_method"), "value", values.get("quant_method")) or "")
        raise _quantized(name, f" ({method})" if method else "")
    if kind == "xmod" and getattr(config, "default_language", None) is None:
        languages = ", ".join(map(str, getattr(config, "languages", None) or ())) or "none"
        raise ModelError(
            f"{name} is an X-MOD model, which reads each text by the adapter of its language, and its "
            "config.json names no default_language.",
            f"Set default_language there to one of: {languages}.",
        )


def refuse_whole_numbers(name: str, tensors: Mapping[str, Tensor]) -> None:
    """Raises ModelError for weights that are stored as whole numbers: quantised, and not to be trained."""
    for key, tensor in tensors.items():
        if tensor.dtype in _WHOLE_NUMBERS and key.endswith(".weight"):
            raise _quantized(name, f": {key} is stored as {tensor.dtype}")


def explain_config(text: str, name: str) -> ModelError | None:
    """The error for what transformers said of a configuration; None for what is not known here."""
    if "custom code" in text or "trust_remote_code" in text:
        return ModelError(
            f"{name} is defined by Python code of its own (auto_map in its config.json).", _NO_CODE
        )
    if found := re.search(r"model type `?([^`\s]+)`? but Transformers does not recognize", text):
        return ModelError(
            f"{name} is a {found[1]} model, which the installed transformers does not know.",
            "Choose another model; a newer transformers may know it.",
        )
    if "Unrecognized model" in text or "should have a `model_type`" in text.lower():
        return ModelError(
            f"The config.json of {name} does not say what kind of model it is (model_type).",
            "Put the config.json there that save_pretrained wrote.",
        )
    if "not a valid JSON file" in text:
        return ModelError(f"The config.json of {name} is not JSON.", "Copy or download it again.")
    if found := re.search(r"Validation error for field '(\w+)'", text):
        return ModelError(
            f"The config.json of {name} cannot be used: {found[1]} has a value that it cannot have.",
            "Put the config.json there that save_pretrained wrote.",
        )
    return None


def _quantized(name: str, how: str) -> ModelError:
    return ModelError(
        f"The weights of {name} are quantised{how}: such numbers cannot be trained.",
        "Give the model that it was made from, in float32, bfloat16 or float16.",
    )
