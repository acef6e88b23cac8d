"""A model's own tokenizer.json, and whether what transformers built is the tokenizer that it describes.

transformers builds some tokenizers anew from their class and the vocabulary alone: a normalizer or a
pre-tokenizer that only the file knows is then missing, and the model reads other tokens than it was trained
on. So the file decides.
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
"""Parts of a tokenizer.json, and how to call them."""


def own_file(place: str, revision: str | None) -> Path | None:
    """The tokenizer.json of a folder or of a hub id in the local cache; None where there is none."""
    if is_local(place):
        file = Path(place) / FILE
        return file if file.is_file() else None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(place, FILE, revision=revision or "main")
    return Path(found) if isinstance(found, str) else None


def differences(built: tokenizers.Tokenizer, file: tokenizers.Tokenizer) -> list[str]:
    """In which parts `built` is another tokenizer than the file's, in a person's words.

    Whether a text is cut or padded is not compared: the workbench does neither.
    """
    ours, theirs = built.to_str(), file.to_str()
    if ours == theirs:
        return []
    one, other = json.loads(ours), json.loads(theirs)
    one["post_processor"], other["post_processor"] = around(built), around(file)
    return [name for part, name in _COMPARED.items() if _plain(one.get(part)) != _plain(other.get(part))]


def around(backend: tokenizers.Tokenizer) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and after a text.

    Its post-processor is given a token of another vocabulary, so no text has to be invented that this
    tokenizer may be unable to spell.
    """
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    try:
        found = backend.post_process(_foreign_token())
    finally:
        if truncation is not None:
            backend.enable_truncation(**truncation)
        if padding is not None:
            backend.enable_padding(**padding)
    place = found.tokens.index(_FOREIGN)
    return list(found.ids[:place]), list(found.ids[place + 1 :])


def from_file(
    place: str, revision: str | None, file: Path, built: PreTrainedTokenizerBase | None
) -> PreTrainedTokenizerBase:
    """The tokenizer that the file describes, with the special tokens that the model's files name.

    `built`: what transformers made of it, which knows the special tokens of its class where no file names
    them; None if it could not. Raises whatever the libraries raise.
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
    # the whole of the text is one word of this small vocabulary
    return tokenizers.Tokenizer(WordLevel({_FOREIGN: 0}, unk_token=_FOREIGN)).encode(_FOREIGN)


def _roles(built: PreTrainedTokenizerBase | None) -> dict[str, Any]:
    if built is None:
        return {}
    names = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    return {name: token for name in names if (token := getattr(built, name, None)) is not None}


def _take_parts(backend: tokenizers.Tokenizer, file: tokenizers.Tokenizer) -> None:
    """Give `backend` every part of the file: transformers sets some of them from other files."""
    # a part that is None cannot be assigned in every release, and a file without one gives none to replace
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        wanted = getattr(file, part)
        if wanted is not None or getattr(backend, part) is not None:
            setattr(backend, part, wanted)


def _plain(part: Any) -> Any:
    """Without what is empty or off, which one release writes down and another leaves out."""
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items() if value not in (None, "", False, {}, [])}
    return part
