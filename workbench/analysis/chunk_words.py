"""The words of a chunk's tokens: where they begin, and their text, also in scripts without spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.corpus import ChunkTable
from workbench.inference.pieces import Pieces
from workbench.pretrained import scripts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PART = "\ufffd"
"""What a token decodes to that holds only some bytes of a character."""
_MOST_PARTS = 8


class ChunkWords:
    """Words of the chunks of one table, whose tokens are those of `tokenizer`.

    A table that was prepared for masks of single tokens has the tokenizer's own words; in scripts without
    spaces these may be whole sentences or single characters. There, ICU's words take their place.
    """

    def __init__(self, table: ChunkTable, tokenizer: PreTrainedTokenizerBase) -> None:
        self._table, self._tokenizer = table, tokenizer
        self._pieces = Pieces(tokenizer)
        self._special = frozenset(tokenizer.all_special_ids)
        self._added: dict[int, str] = {}
        self._starts: dict[int, np.ndarray] = {}

    def starts(self, chunk: int) -> np.ndarray:
        """Which tokens of a chunk begin a word: bool (chunk_size,)."""
        if chunk not in self._starts:
            self._starts[chunk] = self._found(self._table.ids[chunk].tolist(), self._table.word_starts[chunk])
        return self._starts[chunk]

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as text: without the blanks that decoders put between characters of such scripts."""
        decoded = str(self._tokenizer.decode(ids, clean_up_tokenization_spaces=False)).strip()
        return self._joined(ids)[0].strip() if scripts.has_unspaced(decoded) else decoded

    def _found(self, ids: list[int], starts: np.ndarray) -> np.ndarray:
        text, begins = self._joined(ids)
        of_script = scripts.unspaced(text)
        if of_script is not None:
            special = np.isin(ids, list(self._special))
            after = np.append(False, special[:-1])
            starts = scripts.word_starts(text, of_script, begins, starts.astype(np.uint8)) | special | after
        return np.asarray(starts, dtype=bool)

    def _joined(self, ids: Sequence[int]) -> tuple[str, np.ndarray]:
        """The text of all tokens, and at which of its characters each of them begins: int64 (tokens,)."""
        text, at = "", 0
        begins = np.zeros(len(ids), np.int64)
        while at < len(ids):
            piece, tokens = self._piece(ids, at)
            begins[at : at + tokens] = len(text)
            text += piece
            at += tokens
        return text, np.minimum(begins, max(0, len(text) - 1))

    def _piece(self, ids: Sequence[int], at: int) -> tuple[str, int]:
        """The text of the token at a place, or of the tokens that hold one character together."""
        number = ids[at]
        if number in self._special:
            return "\n", 1  # nothing reaches over it
        if number not in self._added:
            self._added[number] = self._pieces.added_text(number)
        piece = self._added[number]
        for tokens in range(2, _MOST_PARTS if _PART in piece else 0):
            whole = str(self._tokenizer.decode(ids[at : at + tokens], clean_up_tokenization_spaces=False))
            if _PART not in whole:
                return whole, tokens
        return piece, 1
