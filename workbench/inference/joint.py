"""Finds the best combinations of words for several masks, which need not be each mask's best word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from workbench.inference.reader import Reader
from workbench.inference.slots import Slots, Word, log_probabilities
from workbench.rpc import Check, never_cancelled

WIDTH = 5
"""Number of hypotheses that the beam search keeps."""
MOST_MASKS = 10
"""Maximum number of masks to fill together: the work is quadratic in it."""

Words = tuple[Word | None, ...]
Proposals = list[tuple[Word, float]]
Propose = Callable[[Sequence[tuple[Words, int]]], list[Proposals]]
"""For each (words so far, slot): words for the slot with their log probabilities, best first."""


class Joint(NamedTuple):
    """A word for every slot. score: see `joint_fills`."""

    words: tuple[Word, ...]
    score: float


def joint_fills(
    reader: Reader, slots: Slots, propose: Propose, width: int = WIDTH, check: Check = never_cancelled
) -> list[Joint]:
    """Up to `width` joint fills, best first.

    A beam search that fills the easiest mask first: each step fills the slot about which the best hypothesis
    is most certain, and keeps the hypotheses with the highest sums of log probabilities, each word given the
    words filled before. (Easy-first order: Ghazvininejad et al. 2019, "Mask-Predict".)

    The remaining hypotheses are rescored, because a masked language model's conditionals in different orders
    need not agree: score = sum over slots of ln p(word | all other words), the pseudo-log-likelihood of
    Salazar et al. 2020 ("Masked Language Model Scoring") over the filled slots, with words of several tokens
    as in `log_probabilities`. It ranks fills of one text; it is not their joint probability.
    """
    beam: list[tuple[Words, float]] = [((None,) * slots.count, 0.0)]
    open_slots = list(range(slots.count))
    while open_slots:
        first = beam[0][0]
        offers = dict(zip(open_slots, propose([(first, slot) for slot in open_slots]), strict=True))
        slot = max(open_slots, key=lambda candidate: offers[candidate][0][1])
        open_slots.remove(slot)
        rest = propose([(words, slot) for words, _ in beam[1:]])
        grown = {
            (*words[:slot], word, *words[slot + 1 :]): total + value
            for (words, total), proposals in zip(beam, [offers[slot], *rest], strict=True)
            for word, value in proposals
        }
        beam = sorted(grown.items(), key=lambda hypothesis: -hypothesis[1])[:width]
    fills = [tuple(word for word in words if word is not None) for words, _ in beam]
    conditionals = [(words, slot, words[slot]) for words in fills for slot in range(slots.count)]
    values = log_probabilities(reader, slots, conditionals, check)
    count = slots.count
    scored = [Joint(words, sum(values[i * count : (i + 1) * count])) for i, words in enumerate(fills)]
    return sorted(scored, key=lambda fill: -fill.score)


def of_vocabulary(
    reader: Reader, slots: Slots, width: int = WIDTH, check: Check = never_cancelled
) -> Propose:
    """Proposes the `width` best single tokens for a slot."""

    def take(_: int, scores: torch.Tensor) -> Proposals:
        best = reader.guesses(scores).topk(reader.most(width))
        return [
            ((token,), value)
            for token, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    return lambda pairs: reader.read([slots.question(words, slot) for words, slot in pairs], take, check)


def of_words(
    reader: Reader, slots: Slots, allowed: Sequence[Sequence[Word]], check: Check = never_cancelled
) -> Propose:
    """Proposes the words `allowed[slot]` for a slot; none may be empty."""

    def propose(pairs: Sequence[tuple[Words, int]]) -> list[Proposals]:
        options = [(words, slot, word) for words, slot in pairs for word in allowed[slot]]
        values = iter(log_probabilities(reader, slots, options, check))
        offers = [[(word, next(values)) for word in allowed[slot]] for _, slot in pairs]
        return [sorted(offer, key=lambda proposal: -proposal[1]) for offer in offers]

    return propose
