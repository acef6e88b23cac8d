"""Tokenizers: loaded safely, refused clearly where they cannot serve masked language modelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import ModelError
from workbench.pretrained.hub import explain_hub_error, require_hub
from workbench.pretrained.locate import is_local, locate

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_OTHER_MODEL = "Choose a model that was made for masked language modelling, or `starter`."


def load_tokenizer(model: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """The fast tokenizer of a model: hub id, local folder or `starter`. No code of the model's own is run.

    Raises ModelError: not found, gated, no network, no fast tokenizer, no mask token.
    """
    place = locate(model)
    if not is_local(place):
        require_hub(place)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            place, revision=revision or "main", use_fast=True, trust_remote_code=False
        )
    except Exception as error:  # the libraries raise anything here: OSError, ValueError, errors of Rust
        if not is_local(place) and isinstance(error, OSError):
            raise explain_hub_error(error, model) from error
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"The tokenizer of {model} cannot be loaded: {first_line}", _OTHER_MODEL) from error
    if not tokenizer.is_fast:
        raise ModelError(
            f"The tokenizer of {model} has no fast version, which whole words and speed depend on.",
            _OTHER_MODEL,
        )
    if tokenizer.mask_token_id is None:
        raise ModelError(f"The tokenizer of {model} has no mask token.", _OTHER_MODEL)
    return tokenizer
