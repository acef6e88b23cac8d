"""Token sequences of a text whose masks are partly filled with words."""

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
    """The masks of a text. `limit`: the maximum number of tokens of the model."""

    def __init__(self, ids: Sequence[int], positions: Sequence[int], mask_id: int, limit: int) -> None:
        cuts = [-1, *positions, len(ids)]
        self._around = [tuple(ids[a + 1 : b]) for a, b in pairwise(cuts)]
        self._mask_id = mask_id
        self._limit = limit
        self.count = len(positions)

    def question(self, words: Sequence[Word | None], slot: int, token: int = 0) -> Question:
        """The question for token number `token` of the word in `slot`. None in `words`: one mask."""
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
        """One question per token of `word` in `slot`: the tokens before it are visible, it and the rest
        masked."""
        questions = []
        for visible in range(len(word)):
            partial = (*word[:visible], *[self._mask_id] * (len(word) - visible))
            questions.append(self.question([*words[:slot], partial, *words[slot + 1 :]], slot, visible))
        return questions


def log_probabilities(
    reader: Reader,
    slots: Slots,
    conditionals: Sequence[tuple[Sequence[Word | None], int, Word]],
    check: Check = never_cancelled,
) -> list[float]:
    """ln p(word in slot | the other slots as in words) for each (words, slot, word).

    A word of n tokens gets n masks, filled from left to right: the sum of ln p(token | the tokens before it
    in the word, the text), by the chain rule a probability among words of n tokens. Masking only one token at
    a time would overrate words of several tokens (Kauf & Ivanova 2023, "A Better Way to Do Masked Language
    Model Scoring", PLL-word-l2r).
    """
    questions: list[Question] = []
    tokens: list[int] = []
    owners: list[int] = []
    for owner, (words, slot, word) in enumerate(conditionals):
        questions += slots.questions(words, slot, word)
        tokens += word
        owners += [owner] * len(word)

    def take(number: int, scores: torch.Tensor) -> float:
        return float(scores[tokens[number]])

    sums = [0.0] * len(conditionals)
    for owner, value in zip(owners, reader.read(questions, take, check), strict=True):
        sums[owner] += value
    return sums
