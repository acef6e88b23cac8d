"""Readable tokens, and sentences made from them, for any family of tokenizers.

Tokenizers mark the beginning of a word in different ways: WordPiece marks the other tokens with `##`,
byte-level BPE keeps the space before (`Ġ`), SentencePiece shows it as `▁`. No case per family is needed: the
text that a token adds is what the decoder adds when the token follows itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tokenizers
    from transformers import PreTrainedTokenizerBase

_SPACES = ("\u2581", "\u0120")  # how tokens spell their own space


class Pieces:
    """Reads single tokens of one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._spaced = _has_spaces(tokenizer.backend_tokenizer)

    def added_text(self, token_id: int) -> str:
        """The text that the token adds: " paris" if it begins a word, "ing" if it continues one."""
        alone = self._decode([token_id])
        twice = self._decode([token_id, token_id])
        added = twice[len(alone) :] if twice.startswith(alone) else f" {alone.strip()}"
        raw = str(self._tokenizer.convert_ids_to_tokens(token_id))
        if added[:1] != " " or raw.startswith(_SPACES) or not added.strip():
            return added
        # the space is the decoder's, not the token's
        from workbench.pretrained.scripts import is_unspaced

        return added.removeprefix(" ") if not self._spaced or is_unspaced(added[1]) else added

    def readable(self, token_id: int) -> str:
        """The token for a list: `paris`, `##ing`."""
        added = self.added_text(token_id)
        raw = str(self._tokenizer.convert_ids_to_tokens(token_id))
        if raw == f"##{added}":
            return raw
        return added.strip() or added

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def fill_in(
    around: Sequence[str],
    added: Sequence[str],
    *,
    spaces_seen: Sequence[bool],
    fits: Callable[[int, str, str], bool],
) -> str:
    """The text with `added[i]` (see `Pieces.added_text`) between `around[i]` and `around[i + 1]`.

    The user's own letters and spaces stay. A space is removed only before a token that continues the word
    before the mask, and added only where two words would merge.

    spaces_seen: for each mask, whether the model can see a space before it; if not, the token decides.
    fits(slot, text, word): whether the tokenizer reads the mask's token when its letters follow the text
    without a space, like letters of proteins and Chinese characters.
    """
    text = around[0]
    for slot, (piece, after, seen) in enumerate(zip(added, around[1:], spaces_seen, strict=True)):
        begins_word, word = piece[:1].isspace(), piece.strip()
        if begins_word:
            touches = text[-1:].isalnum() or (seen and bool(text) and not text[-1].isspace())
            text += f" {word}" if touches and not fits(slot, text, word) else word
        elif seen:
            text += word
        else:
            text = text.rstrip(" \t") + word
        text += after
    return text


def _has_spaces(backend: tokenizers.Tokenizer) -> bool:
    """Whether the tokenizer's tokens are words separated by spaces.

    Without a decoder, that is so if the pre-tokenizer removes spaces and splits at nothing else but
    punctuation.
    """
    if backend.decoder is not None:
        return True
    try:
        described = json.loads(backend.to_str())["pre_tokenizer"]
    except Exception:  # the pre-tokenizer is written in Python and has no JSON
        return False
    steps = (described or {}).get("pretokenizers") or [described or {}]
    takes_spaces = {"WhitespaceSplit", "Whitespace", "BertPreTokenizer", "CharDelimiterSplit"}
    splits = [step for step in steps if step.get("type") == "Split"]
    removes = [step for step in splits if step.get("behavior") == "Removed"]
    return (any(step.get("type") in takes_spaces for step in steps) or bool(removes)) and splits == removes
