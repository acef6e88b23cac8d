"""Loads tokenizers safely, and refuses those that cannot serve masked language modelling."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelError
from workbench.pretrained.hub import explain_hub_error, require_hub
from workbench.pretrained.locate import is_local, locate

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_OTHER_MODEL = "Choose a model that was made for masked language modelling, or `starter`."
_CONFIG = "tokenizer_config.json"
_NAMES = ("tokenizer.json", "vocab.*", "*.model", "merges.txt", "*.vocab", "bpe.codes", "dict.txt")
"""Files that hold a vocabulary. A byte tokenizer has none; its configuration names its class."""
_WITHOUT_VOCABULARY = ("PerceiverTokenizer",)
_MASKS = ("[MASK]", "<mask>", "<|mask|>")

Told = Callable[[str], None]
"""Called with notes for the user about how a tokenizer was loaded."""


def load_tokenizer(
    model: str, revision: str | None = None, tell: Told = lambda text: None
) -> PreTrainedTokenizerBase:
    """The fast tokenizer of a model: a hub id, local folder or `starter`. The model's own code is never run.

    A model's tokenizer.json takes precedence: if transformers would build a different tokenizer, `tell` is
    called with a note. A tokenizer that exists only in Python is converted if possible.

    Raises ModelError: not found, gated, no network, no tokenizer, not convertible, or no mask token.
    """
    place = locate(model)
    if not is_local(place):
        require_hub(place)
    else:
        _check_files(Path(place), model)
    built, error = _built(place, revision)
    if error is not None and not is_local(place) and isinstance(error, OSError):
        raise explain_hub_error(error, model) from error
    tokenizer = _fast(built, error, place, revision, model, tell)
    if tokenizer.mask_token_id is None:
        raise _no_mask(tokenizer, model)
    return tokenizer


def _built(place: str, revision: str | None) -> tuple[PreTrainedTokenizerBase | None, Exception | None]:
    """The tokenizer that transformers builds from the model's files, or the error."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            place, revision=revision or "main", trust_remote_code=False
        ), None
    except Exception as error:  # the libraries raise anything here: OSError, ValueError, Rust errors
        return None, error


def _fast(
    built: PreTrainedTokenizerBase | None,
    error: Exception | None,
    place: str,
    revision: str | None,
    model: str,
    tell: Told,
) -> PreTrainedTokenizerBase:
    import tokenizers

    from workbench.pretrained.tokenizer_file import FILE, differences, from_file, own_file

    file = own_file(place, revision)
    if file is None:
        return _without_file(built, error, place, model, tell)
    try:
        backend = tokenizers.Tokenizer.from_file(str(file))
    except Exception as damage:  # from Rust
        raise ModelError(
            f"The tokenizer of {model} cannot be loaded: its {FILE} is damaged or from a newer release.",
            "Fetch or save the model's folder again.",
        ) from damage
    if built is not None and built.is_fast:
        try:
            different = differences(built.backend_tokenizer, backend)
        except Exception:  # a tokenizer with a component in Python cannot be serialised
            different = ["words"]
        if not different:
            return built
        tell(
            f"The tokenizer of {model} is read from its {FILE}: transformers' {type(built).__name__} would "
            f"have a different {' and '.join(different)}."
        )
    else:
        kind = _class_named(place) or "this tokenizer's class"
        tell(f"The tokenizer of {model} is read from its {FILE}: transformers cannot build {kind}.")
    try:
        return from_file(place, revision, file, built)
    except Exception as damage:
        raise ModelError(
            f"The tokenizer of {model} cannot be loaded: its {_CONFIG} does not fit its {FILE}.",
            "Fetch or save the model's folder again.",
        ) from damage


def _without_file(
    built: PreTrainedTokenizerBase | None, error: Exception | None, place: str, model: str, tell: Told
) -> PreTrainedTokenizerBase:
    """The tokenizer of a model without a tokenizer.json."""
    from workbench.pretrained.slow_tokenizers import converted, library_wanted

    if built is None:
        assert error is not None
        kind = _class_named(place)
        wanted = library_wanted(error)
        if wanted:
            raise ModelError(
                f"The tokenizer of {model}{f' ({kind})' if kind else ''} needs the package {wanted}.",
                f"Install it (pip install {wanted}), or choose a model with a tokenizer.json.",
            ) from error
        if "trust_remote_code" in str(error) or "auto_map" in _config(place):
            raise ModelError(
                f"The tokenizer of {model} cannot be loaded: it is defined by its own Python code, which the "
                "workbench never runs.",
                "Choose a model whose folder holds a tokenizer.json.",
            ) from error
        raise ModelError(
            f"The tokenizer of {model} cannot be loaded: its files are damaged or incomplete.",
            _OTHER_MODEL,
        ) from error
    if built.is_fast:
        return built
    tokenizer = converted(built, model)
    tell(f"The tokenizer of {model} ({type(built).__name__}) exists only in Python, so it was converted.")
    return tokenizer


def _check_files(folder: Path, model: str) -> None:
    """Raises ModelError if a folder holds no tokenizer files."""
    if (
        any(next(folder.glob(name), None) for name in _NAMES)
        or _class_named(str(folder)) in _WITHOUT_VOCABULARY
    ):
        return
    config = _config(str(folder))
    if "auto_map" in config:
        return  # defined by its own code, which is refused with another message
    raise ModelError(
        f"The folder {model} holds no tokenizer (tokenizer.json).",
        f"Copy the tokenizer files of its base model into it: tokenizer.json and {_CONFIG}.",
    )


def _no_mask(tokenizer: PreTrainedTokenizerBase, model: str) -> ModelError:
    vocabulary = tokenizer.get_vocab()
    masks = [token for token in vocabulary if token in _MASKS]
    masks += [token for token in vocabulary if re.fullmatch(r"\W+mask\W+", token, re.IGNORECASE)]
    if masks:
        return ModelError(
            f"The tokenizer of {model} declares no mask token, although its vocabulary holds {masks[0]}.",
            f'Add "mask_token": "{masks[0]}" to its {_CONFIG}; masked language modelling needs one.',
        )
    return ModelError(f"The tokenizer of {model} has no mask token.", _OTHER_MODEL)


def _class_named(place: str) -> str:
    """The tokenizer class that a folder's configuration names; "" if it names none."""
    name = _config(place).get("tokenizer_class")
    return name if isinstance(name, str) else ""


def _config(place: str) -> dict[str, Any]:
    try:
        config = json.loads((Path(place) / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
