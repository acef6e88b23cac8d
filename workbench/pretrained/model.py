"""Load a masked language model: safetensors only, no remote code, a word on anything that is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForMaskedLM, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

from workbench.errors import ModelError
from workbench.pretrained.download import Interrupted, Told, cached_commit, fetch_weights
from workbench.pretrained.hub import explain_hub_error, hub_is_reachable, require_hub
from workbench.pretrained.locate import is_local, locate

ENCODER_DECODER_HINT = "Choose an encoder, such as BERT, RoBERTa or ModernBERT."


@dataclass(frozen=True)
class LoadedModel:
    """A masked language model in fp32, and what its user should know about how it was loaded."""

    model: PreTrainedModel
    revision: str | None
    notes: tuple[str, ...]


def load_config(name: str, revision: str | None = None) -> Any:
    """The model's configuration. Raises ModelError when it cannot be had or is not a masked LM's."""
    place = locate(name)
    if not is_local(place):
        require_hub(place)
    try:
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
    except Exception as error:  # a configuration that holds anything fails in any of the libraries' ways
        raise _explain(error, name) from error
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            f"{name} is an encoder-decoder ({config.model_type}), not a masked language model.",
            ENCODER_DECODER_HINT,
        )
    if type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
        raise ModelError(
            f"{name} is a {config.model_type} model, which has no masked-language-model head.",
            ENCODER_DECODER_HINT,
        )
    return config


def commit_of(name: str, revision: str | None = None) -> str | None:
    """The hub's commit of a model whose configuration was loaded; None for a folder."""
    place = locate(name)
    return None if is_local(place) else cached_commit(place, revision)


def load_model(name: str, revision: str | None = None, told: Told | None = None) -> LoadedModel:
    """Read the weights in fp32. `told` hears how many bytes are fetched, of how many. Raises ModelError."""
    config = load_config(name, revision)
    place, commit = locate(name), commit_of(name, revision)
    try:
        if commit and hub_is_reachable():
            fetch_weights(place, commit, told)
        model, info = AutoModelForMaskedLM.from_pretrained(
            place,
            config=config,
            revision=commit or revision,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Interrupted as stop:
        raise stop.reason from None
    except Exception as error:  # of PyTorch, or of Rust
        raise _explain(error, name) from error
    notes = []
    missing = sorted(info["missing_keys"])
    if missing:
        shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        notes.append(f"{name} has no weights for {shown}: they start at random and must be trained first.")
    return LoadedModel(model, commit, tuple(notes))


def usable_positions(config: Any) -> int | None:
    """How many tokens the model can read at once; None when its config sets no limit.

    RoBERTa-like models number positions from the padding id + 1, so they have fewer than
    `max_position_embeddings`: read off the position table itself, built without memory.
    """
    limit = getattr(config, "max_position_embeddings", None)
    if not isinstance(limit, int) or limit <= 0:
        return None
    try:
        with torch.device("meta"):
            model = AutoModelForMaskedLM.from_config(config)
    except Exception as error:  # sizes that do not fit together, or that no memory holds
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"No model can be built from the configuration: {first_line}", "Its config.json may be damaged."
        ) from error
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            if module.padding_idx is not None:
                return module.num_embeddings - module.padding_idx - 1
            return min(limit, module.num_embeddings)
    return limit


def _explain(error: Exception, name: str) -> Exception:
    text = str(error)
    if "safetensors" in text and ("no file named" in text or "not appear to have" in text):
        return ModelError(
            f"{name} has no model.safetensors: only pickled weights, which can run code, or none.",
            "Convert it with safetensors, or choose another model.",
        )
    return explain_hub_error(error, name)
