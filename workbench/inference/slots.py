"""A text with places for words: token sequences with some of them filled, others left as masks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch

from workbench.errors import UsageError
from workbench.inference.reader import Question, Reader
from workbench.rpc import Check, never_cancelled

Word = tuple[int, ...]
"""The tokens of a word."""


class Slots:
    """The places of the masks in a text. `limit`: the most tokens that the model reads."""

    def __init__(self, ids: Sequence[int], positions: Sequence[int], mask_id: int, limit: int) -> None:
        cuts = [-1, *positions, len(ids)]
        self._around = [tuple(ids[a + 1 : b]) for a, b in pairwise(cuts)]
        self._mask_id = mask_id
        self._limit = limit
        self.count = len(positions)

    def question(self, words: Sequence[Word | None], slot: int, token: int = 0) -> Question:
        """About the place of `token` of the word in `slot`. None in `words`: one mask."""
        ids = list(self._around[0])
        position = 0
        for number, (word, after) in enumerate(zip(words, self._around[1:], strict=True)):
            if number == slot:
                position = len(ids) + token
            ids += (self._mask_id,) if word is None else word
            ids += after
        if len(ids) > self._limit:
            raise UsageError(
                f"With these words the text is {len(ids):,} tokens long; "
                f"this model reads at most {self._limit:,}.",
                "Shorten it around the mask.",
            )
        return Question(tuple(ids), position)

    def questions(self, words: Sequence[Word | None], slot: int, word: Word) -> list[Question]:
        """One for each token of `word` in `slot`: the tokens before it are known, it and the rest masked."""
        found = []
        for known in range(len(word)):
            tried = (*word[:known], *[self._mask_id] * (len(word) - known))
            found.append(self.question([*words[:slot], tried, *words[slot + 1 :]], slot, known))
        return found


def log_probabilities(
    reader: Reader,
    slots: Slots,
    asked: Sequence[tuple[Sequence[Word | None], int, Word]],
    check: Check = never_cancelled,
) -> list[float]:
    """ln p(word in slot | the other slots as in words) for each (words, slot, word).

    A word of n tokens gets n masks, which are filled from left to right: the sum of ln p(token | the tokens
    before it in the word, the text), by the chain rule a probability among words of n tokens. Masking only
    one token of the word at a time would overrate words of several tokens (Kauf & Ivanova 2023, "A Better Way
    to Do Masked Language Model Scoring", PLL-word-l2r).
    """
    questions: list[Question] = []
    tokens: list[int] = []
    owners: list[int] = []
    for owner, (words, slot, word) in enumerate(asked):
        questions += slots.questions(words, slot, word)
        tokens += word
        owners += [owner] * len(word)

    def take(number: int, found: torch.Tensor) -> float:
        return float(found[tokens[number]])

    sums = [0.0] * len(asked)
    for owner, value in zip(owners, reader.read(questions, take, check), strict=True):
        sums[owner] += value
    return sums
