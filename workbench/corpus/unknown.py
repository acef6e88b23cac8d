"""Counts the parts of a text that a tokenizer has no token for, and reports the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.corpus.notes import Notes
from workbench.errors import CorpusError
from workbench.pretrained.shapes import is_new
from workbench.pretrained.special_tokens import unknown_id
from workbench.pretrained.unspelled import UnknownWords, Unspelled

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WARN_ABOVE, REFUSE_ABOVE = 0.01, 0.2
"""Limits for the share of unknown tokens."""
_LONGEST_SHOWN = 40  # characters


class Unknown:
    """Counts the unknown tokens of the texts so far, including words and letters that were dropped."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._id = unknown_id(tokenizer)
        self._words = UnknownWords(tokenizer)
        self._left_out = self._tokens = self._texts = 0
        self._first: tuple[str, int] | None = None

    def count_unspelled(self, source: Unspelled) -> None:
        """Add the dropped words and letters of the texts of the next `count`."""
        self._left_out += len(source.take())

    def count(self, ids: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> None:
        """Count the unknown tokens of a batch: ids (tokens,), lengths (texts,)."""
        unknown = np.flatnonzero(ids == self._id) if self._id is not None else np.empty(0, np.int64)
        number = self._left_out + len(unknown)
        if number and self._first is None:
            self._first = self._find_first(unknown, lengths, texts)
        self._tokens += number
        self._left_out = 0
        self._texts += len(texts)

    def take(self) -> tuple[int, tuple[str, int] | None]:
        """The unknown tokens since the last call; the first of them, and its text's number since then."""
        tokens, first = self._tokens, self._first
        self._tokens = self._texts = 0
        self._first = None
        return tokens, first

    def _find_first(
        self, unknown: np.ndarray, lengths: np.ndarray, texts: Sequence[str]
    ) -> tuple[str, int] | None:
        likely = range(len(texts))
        if not self._left_out:
            number = int(np.searchsorted(lengths.cumsum(), unknown[0], side="right"))
            likely = range(number, number + 1)
        for number in likely:
            words = self._words(texts[number])
            if words:
                return words[0][:_LONGEST_SHOWN], self._texts + number
        return None


def judge(unknown: int, tokens: int, first: tuple[str, str] | None, model: str, notes: Notes) -> None:
    """Report the share of unknown tokens. Raises CorpusError above REFUSE_ABOVE.

    first: the first unknown part, and the name of its document.
    """
    if not unknown:
        return
    tokens = max(tokens, unknown)  # dropped parts are not among the tokens
    share = unknown / tokens
    where = f" The first is {first[0]!r} in {first[1]}." if first else ""
    what = f"{unknown:,} of {tokens:,} tokens ({100 * share:.3g} %) are unknown to the tokenizer.{where}"
    if share > REFUSE_ABOVE:
        raise CorpusError(what, _remedy(model))
    if share > WARN_ABOVE:
        notes.warning(f"{what} {_remedy(model)}")
    else:
        notes.info(what)


def _remedy(model: str) -> str:
    if is_new(model):
        return "Use tokenizer = bytes, which can encode any text, or a larger vocab_size."
    return "Choose a model for this language and script, or a new one (model = new:small)."
