"""Tokenizers: loaded safely, refused clearly where they cannot serve masked language modelling."""

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
"""Files that hold a vocabulary. A tokenizer of bytes has none, but a configuration that names its class."""
_WITHOUT_VOCABULARY = ("PerceiverTokenizer",)
_MASKS = ("[MASK]", "<mask>", "<|mask|>")

Told = Callable[[str], None]
"""Hears what a person should know of how a tokenizer was loaded."""


def load_tokenizer(
    model: str, revision: str | None = None, tell: Told = lambda text: None
) -> PreTrainedTokenizerBase:
    """The fast tokenizer of a model: hub id, local folder or `starter`. No code of the model's own is run.

    Where the model has a tokenizer.json, that decides: what transformers makes of it otherwise is not used,
    and `tell` hears so. A tokenizer that exists in Python alone is converted where that can be done.

    Raises ModelError: not found, gated, no network, no tokenizer, none that can be converted, no mask token.
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
    """What transformers makes of the model's files, or why it cannot."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            place, revision=revision or "main", trust_remote_code=False
        ), None
    except Exception as error:  # the libraries raise anything here: OSError, ValueError, errors of Rust
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
    except Exception as damage:  # of Rust
        raise ModelError(
            f"The tokenizer of {model} cannot be loaded: its {FILE} is damaged, or of a newer release.",
            "Fetch or save the model's folder again.",
        ) from damage
    if built is not None and built.is_fast:
        try:
            different = differences(built.backend_tokenizer, backend)
        except Exception:  # one with a part in Python cannot be written down
            different = ["words"]
        if not different:
            return built
        tell(
            f"The tokenizer of {model} is read from its {FILE}. transformers' {type(built).__name__} would "
            f"have another {' and '.join(different)}."
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
    """A tokenizer from a vocabulary in another form than tokenizer.json."""
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
                f"The tokenizer of {model} cannot be loaded: it is code of its own, and the workbench runs "
                "no model's code.",
                "Choose a model whose folder holds a tokenizer.json.",
            ) from error
        raise ModelError(
            f"The tokenizer of {model} cannot be loaded: its files are damaged, or not all there.",
            _OTHER_MODEL,
        ) from error
    if built.is_fast:
        return built
    tokenizer = converted(built, model)
    tell(f"The tokenizer of {model} ({type(built).__name__}) exists in Python alone: it was converted.")
    return tokenizer


def _check_files(folder: Path, model: str) -> None:
    """Raises ModelError where a folder has nothing to make a tokenizer from."""
    if (
        any(next(folder.glob(name), None) for name in _NAMES)
        or _class_named(str(folder)) in _WITHOUT_VOCABULARY
    ):
        return
    config = _config(str(folder))
    if "auto_map" in config:
        return  # code of its own, which is refused with another message
    raise ModelError(
        f"The folder {model} holds no tokenizer (tokenizer.json).",
        "Copy the tokenizer's files of the model that it was made from into it: tokenizer.json and "
        f"{_CONFIG}.",
    )


def _no_mask(tokenizer: PreTrainedTokenizerBase, model: str) -> ModelError:
    vocabulary = tokenizer.get_vocab()
    there = [token for token in vocabulary if token in _MASKS]
    there += [token for token in vocabulary if re.fullmatch(r"\W+mask\W+", token, re.IGNORECASE)]
    if there:
        return ModelError(
            f"The tokenizer of {model} has no mask token declared, though its vocabulary holds {there[0]}.",
            f'Write "mask_token": "{there[0]}" into its {_CONFIG}; masked language modelling needs one.',
        )
    return ModelError(f"The tokenizer of {model} has no mask token.", _OTHER_MODEL)


def _class_named(place: str) -> str:
    """The class that a folder's configuration names, "" where there is none to be had."""
    name = _config(place).get("tokenizer_class")
    return name if isinstance(name, str) else ""


def _config(place: str) -> dict[str, Any]:
    try:
        found = json.loads((Path(place) / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
