"""Tokens as a person reads them, and a sentence put together from them, for any family of tokenizer.

Tokenizers mark the beginning of a word in different ways: WordPiece marks the others with `##`, byte-level
BPE keeps the space before (`Ġ`), SentencePiece shows it as `▁`. No case per family is needed: what a token
adds to a text is what the decoder shows after a plain word with it less without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Pieces:
    """Reads single tokens of one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._before: list[int] = tokenizer.encode("a", add_special_tokens=False)[-1:]
        self._decoded_before = self._decode(self._before)
        mask = str(tokenizer.mask_token)
        self.mask_takes_space = tokenizer.encode(f"a {mask}") == tokenizer.encode(f"a{mask}")
        """Whether the model cannot see if a space stands before the mask, so that the prediction decides."""

    def added_text(self, token_id: int) -> str:
        """What the token adds to a text: " paris" when it begins a word, "ing" when it goes on with one."""
        joined = self._decode([*self._before, token_id])
        if joined.startswith(self._decoded_before):
            return joined[len(self._decoded_before) :]
        return " " + self._decode([token_id]).strip()

    def readable(self, token_id: int) -> str:
        """The token alone, for a list: `paris`, `##ing`."""
        added = self.added_text(token_id)
        raw = self._tokenizer.convert_ids_to_tokens(token_id)
        if raw == f"##{added}":
            return raw
        return added.strip() or added

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def fill_in(around: Sequence[str], added: Sequence[str], *, mask_takes_space: bool) -> str:
    """The text with `added[i]` (see `Pieces.added_text`) between `around[i]` and `around[i + 1]`.

    The person's own letters and spaces stay. A space is taken away only before a token that goes on with the
    word before the mask, and put in only where two words would run together.
    """
    text = around[0]
    for piece, after in zip(added, around[1:], strict=True):
        begins_word, word = piece[:1].isspace(), piece.strip()
        if not mask_takes_space:
            text += word if text[-1:].isspace() else piece
        elif begins_word:
            text += f" {word}" if text[-1:].isalnum() else word
        else:
            text = text.rstrip(" \t") + word
        text += after
    return text
