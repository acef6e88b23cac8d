"""Reads a model's tokenizer.json, and checks that transformers built the tokenizer that it describes.

transformers rebuilds some tokenizers from their class and vocabulary alone. Such a tokenizer lacks a
normalizer or pre-tokenizer that only the file defines, and gives the model other tokens than it was trained
on. So the file takes precedence.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tokenizers
from tokenizers.models import WordLevel

from workbench.pretrained.locate import is_local

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FILE = "tokenizer.json"
_COMPARED = {
    "normalizer": "normalizer",
    "pre_tokenizer": "pre-tokenizer",
    "model": "vocabulary or merges",
    "post_processor": "special tokens around a text",
    "decoder": "decoder",
    "added_tokens": "added tokens",
}
"""The parts of a tokenizer.json and their names in messages."""


def own_file(place: str, revision: str | None) -> Path | None:
    """The tokenizer.json of a folder, or of a hub id in the local cache; None if there is none."""
    if is_local(place):
        file = Path(place) / FILE
        return file if file.is_file() else None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(place, FILE, revision=revision or "main")
    return Path(cached) if isinstance(cached, str) else None


def differences(built: tokenizers.Tokenizer, file: tokenizers.Tokenizer) -> list[str]:
    """The names of the parts in which `built` differs from the file's tokenizer.

    Truncation and padding are not compared, because the workbench uses neither.
    """
    ours, theirs = built.to_str(), file.to_str()
    if ours == theirs:
        return []
    own, other = json.loads(ours), json.loads(theirs)
    own["post_processor"], other["post_processor"] = around(built), around(file)
    return [name for part, name in _COMPARED.items() if _plain(own.get(part)) != _plain(other.get(part))]


def around(backend: tokenizers.Tokenizer) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer adds before and after a text.

    Its post-processor is run on a token of another vocabulary, because this tokenizer may be unable to encode
    an arbitrary sample text.
    """
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    try:
        encoding = backend.post_process(_foreign_token())
    finally:
        if truncation is not None:
            backend.enable_truncation(**truncation)
        if padding is not None:
            backend.enable_padding(**padding)
    place = encoding.tokens.index(_FOREIGN)
    return list(encoding.ids[:place]), list(encoding.ids[place + 1 :])


def from_file(
    place: str, revision: str | None, file: Path, built: PreTrainedTokenizerBase | None
) -> PreTrainedTokenizerBase:
    """The tokenizer that the file describes, with the special tokens that the model's files name.

    built: the tokenizer that transformers built, or None; its class supplies special tokens that no file
    names. Raises whatever the libraries raise.
    """
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(
        place, revision=revision or "main", trust_remote_code=False
    )
    backend = tokenizers.Tokenizer.from_file(str(file))
    missing = {role: token for role, token in _roles(built).items() if getattr(tokenizer, role, None) is None}
    for role, token in missing.items():
        if backend.token_to_id(str(token)) is not None:
            setattr(tokenizer, role, token)
    _take_parts(tokenizer.backend_tokenizer, backend)
    return tokenizer


_FOREIGN = "\ue000 foreign"


def _foreign_token() -> tokenizers.Encoding:
    # the whole text is one word of this tiny vocabulary
    return tokenizers.Tokenizer(WordLevel({_FOREIGN: 0}, unk_token=_FOREIGN)).encode(_FOREIGN)


def _roles(built: PreTrainedTokenizerBase | None) -> dict[str, Any]:
    if built is None:
        return {}
    names = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    return {name: token for name in names if (token := getattr(built, name, None)) is not None}


def _take_parts(backend: tokenizers.Tokenizer, file: tokenizers.Tokenizer) -> None:
    """Set every part of `backend` from the file, because transformers sets some from other files."""
    # not every release can assign None, and None need not replace None
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        wanted = getattr(file, part)
        if wanted is not None or getattr(backend, part) is not None:
            setattr(backend, part, wanted)


def _plain(part: Any) -> Any:
    """Drop empty and disabled settings, which only some releases write."""
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items() if value not in (None, "", False, {}, [])}
    return part
