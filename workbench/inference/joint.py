"""The words that fit several masks best together, which is not each mask's best word by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from workbench.inference.reader import Reader
from workbench.inference.slots import Slots, Word, log_probabilities
from workbench.rpc import Check, never_cancelled

WIDTH = 5
"""Hypotheses that the search keeps."""
MOST_MASKS = 10
"""Up to so many masks are filled together: the work grows with their square."""

Words = tuple[Word | None, ...]
Proposals = list[tuple[Word, float]]
Propose = Callable[[Sequence[tuple[Words, int]]], list[Proposals]]
"""For each (words so far, slot): words for that slot with their log probabilities, best first."""


class Joint(NamedTuple):
    """A word for every slot. score: see `joint_fills`."""

    words: tuple[Word, ...]
    score: float


def joint_fills(
    reader: Reader, slots: Slots, propose: Propose, width: int = WIDTH, check: Check = never_cancelled
) -> list[Joint]:
    """Up to `width` joint fills, best first.

    A beam search that fills the easiest mask first: at each step the slot of which the best hypothesis is
    surest gets its words, and the sums of the log probabilities, each word given those filled before, decide
    which hypotheses stay. (Easy-first order: Ghazvininejad et al. 2019, "Mask-Predict".)

    Those that are left are scored anew, because a masked language model's conditionals in different orders
    need not agree: score = sum over slots of ln p(word | all other words), the pseudo-log-likelihood of
    Salazar et al. 2020 ("Masked Language Model Scoring") over the filled slots; words of several tokens as in
    `log_probabilities`. It ranks fills of one text; it is no probability of all of them together.
    """
    beam: list[tuple[Words, float]] = [((None,) * slots.count, 0.0)]
    open_slots = list(range(slots.count))
    while open_slots:
        first = beam[0][0]
        offers = dict(zip(open_slots, propose([(first, slot) for slot in open_slots]), strict=True))
        slot = max(open_slots, key=lambda one: offers[one][0][1])
        open_slots.remove(slot)
        rest = propose([(words, slot) for words, _ in beam[1:]])
        grown = {
            (*words[:slot], word, *words[slot + 1 :]): total + value
            for (words, total), proposals in zip(beam, [offers[slot], *rest], strict=True)
            for word, value in proposals
        }
        beam = sorted(grown.items(), key=lambda one: -one[1])[:width]
    found = [tuple(word for word in words if word is not None) for words, _ in beam]
    asked = [(words, slot, words[slot]) for words in found for slot in range(slots.count)]
    each = log_probabilities(reader, slots, asked, check)
    count = slots.count
    scored = [Joint(words, sum(each[i * count : (i + 1) * count])) for i, words in enumerate(found)]
    return sorted(scored, key=lambda one: -one.score)


def of_vocabulary(
    reader: Reader, slots: Slots, width: int = WIDTH, check: Check = never_cancelled
) -> Propose:
    """Proposes the `width` best single tokens for a slot."""

    def take(_: int, found: torch.Tensor) -> Proposals:
        best = reader.guesses(found).topk(reader.most(width))
        return [
            ((token,), value)
            for token, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    return lambda pairs: reader.read([slots.question(words, slot) for words, slot in pairs], take, check)


def of_words(
    reader: Reader, slots: Slots, allowed: Sequence[Sequence[Word]], check: Check = never_cancelled
) -> Propose:
    """Proposes for a slot the words `allowed[slot]`, none of which may be empty."""

    def propose(pairs: Sequence[tuple[Words, int]]) -> list[Proposals]:
        asked = [(words, slot, word) for words, slot in pairs for word in allowed[slot]]
        values = iter(log_probabilities(reader, slots, asked, check))
        offers = [[(word, next(values)) for word in allowed[slot]] for _, slot in pairs]
        return [sorted(offer, key=lambda one: -one[1]) for offer in offers]

    return propose
