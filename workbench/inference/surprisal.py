"""The surprisal of each token of a text, given all others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

from workbench.inference.reader import Question, Reader
from workbench.inference.results import Surprisal, TokenSurprisal
from workbench.rpc import Check, never_cancelled

if TYPE_CHECKING:
    from workbench.inference.masked_text import MaskedText
    from workbench.inference.pieces import Pieces


class _Read(NamedTuple):
    log_probability: float
    rank: int
    best: int
    best_probability: float


def surprisal_of(
    reader: Reader,
    text: MaskedText,
    pieces: Pieces,
    mask_id: int,
    special: frozenset[int],
    check: Check = never_cancelled,
) -> Surprisal:
    """Mask each token in turn and score it (see `Surprisal`).

    Special tokens, masks and unknown tokens are not scored.
    """
    scored = [place for place, token in enumerate(text.ids) if token not in special]
    questions = [Question((*text.ids[:p], mask_id, *text.ids[p + 1 :]), p) for p in scored]

    def take(number: int, scores: torch.Tensor) -> _Read:
        own, guesses = scores[text.ids[scored[number]]], reader.guesses(scores)
        best = int(guesses.argmax())
        return _Read(float(own), 1 + int((guesses > own).sum()), best, float(scores[best].exp()))

    answers = dict(zip(scored, reader.read(questions, take, check), strict=True))
    tokens = []
    for place, (start, end) in enumerate(text.spans):
        read = answers.get(place)
        if read is None and start == end:
            continue  # special tokens that the tokenizer adds to every text
        tokens.append(
            TokenSurprisal(
                start,
                end,
                text.ids[place],
                pieces.readable(text.ids[place]),
                None if read is None else -read.log_probability / math.log(2),
                None if read is None else read.rank,
                "" if read is None else pieces.readable(read.best),
                0.0 if read is None else read.best_probability,
            )
        )
    total = sum(read.log_probability for read in answers.values())
    return Surprisal(text.text, tuple(tokens), len(answers), total)
