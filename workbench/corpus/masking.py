"""Masks: which tokens the model must predict, and what it sees in their place.

Every draw is a hash of (seed, epoch, chunk number, position, purpose). So the masks of a chunk are the same
on every device, at every batch size and on any number of processes, and a resumed run needs no generator's
state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from workbench.corpus import counters
from workbench.corpus.vocabulary import Vocabulary

if TYPE_CHECKING:
    from workbench.recipe import Recipe

EVAL_MASK_SEED = 2**31 + 42
"""The seed of every test's masks. A recipe's seed is below 2**31, so that no training draws them."""

IGNORED = -100
"""The label of a token that is not predicted; torch's cross entropy leaves it out."""

_CHOOSE, _REPLACE, _ORDER = 1, 2, 3  # what a draw is for


class MaskedBatch(NamedTuple):
    """What the model sees and what it must predict: both (batch, chunk_size) int64; label -100: nothing."""

    input_ids: Tensor
    labels: Tensor


class Masker:
    """Draws masks for batches of chunks.

    token: each token is chosen with probability mask_prob. whole_word: each word, then all its tokens.
    span: runs of words, whose lengths are geometric with mean `span_length` (after SpanBERT, Joshi et al.
    2020, but neither clipped nor overlapping), such that each word is covered with probability mask_prob. Of
    the chosen tokens, each on its own, `mask_share` become the mask, `random_share` any token that is not
    special, and `keep_share` stay. Special tokens are never chosen.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        mask_prob: float,
        masking: str = "token",
        span_length: float = 3.0,
        mask_share: float = 0.8,
        random_share: float = 0.1,
        keep_share: float = 0.1,
        seed: int,
    ) -> None:
        if masking not in ("token", "whole_word", "span"):
            raise ValueError(f"masking must be token, whole_word or span; got {masking!r}")
        if not 0 < mask_prob < 1:
            raise ValueError(f"mask_prob must be above 0 and below 1; got {mask_prob}")
        if abs(mask_share + random_share + keep_share - 1) > 1e-6:
            raise ValueError("mask_share, random_share and keep_share must add up to 1")
        self.vocabulary = vocabulary
        self.masking = masking
        self.seed = seed
        self._chosen_below = counters.threshold(mask_prob)
        self._mask_below = counters.threshold(mask_share)
        self._random_below = counters.threshold(mask_share + random_share) if keep_share > 0 else 1 << 32
        # A word after a free one begins a span with probability `begin`; a word after a masked one ends it
        # with probability `end`. The share of masked words is begin / (begin + end), a masked run's mean
        # length 1 / end.
        begin = min(1.0, mask_prob / (span_length * (1 - mask_prob)))
        end = begin * (1 - mask_prob) / mask_prob
        self._begin_below, self._go_on_below = counters.threshold(begin), counters.threshold(1 - end)

    @classmethod
    def for_training(cls, recipe: Recipe, vocabulary: Vocabulary) -> Masker:
        """The recipe's masks, drawn anew in every epoch from its seed."""
        return cls._of(recipe, vocabulary, recipe.seed)

    @classmethod
    def for_test(cls, recipe: Recipe, vocabulary: Vocabulary) -> Masker:
        """The recipe's kind and share of masks from the fixed seed: call it with epoch 0."""
        return cls._of(recipe, vocabulary, EVAL_MASK_SEED)

    @classmethod
    def _of(cls, recipe: Recipe, vocabulary: Vocabulary, seed: int) -> Masker:
        return cls(
            vocabulary,
            mask_prob=recipe.mask_prob,
            masking=recipe.masking,
            span_length=recipe.span_length,
            mask_share=recipe.mask_share,
            random_share=recipe.random_share,
            keep_share=recipe.keep_share,
            seed=seed,
        )

    def __call__(
        self, ids: Tensor, rows: Tensor, epoch: int, word_starts: Tensor | None = None
    ) -> MaskedBatch:
        """Mask a batch of chunks on the device where they are, without waiting for it.

        ids: (batch, chunk_size), any integers. rows: (batch,) int64, each chunk's number in its table.
        word_starts: (batch, chunk_size), not 0 where a token begins a word; needed unless masking is "token".
        """
        ids = ids.to(torch.int64)
        is_special, drawable = self.vocabulary.tables(ids.device)
        special = is_special[ids.clamp(max=is_special.numel() - 1)]
        draws = self._draws(ids, rows, epoch, _CHOOSE)
        chosen = self._choose(counters.high_half(draws), special, word_starts) & ~special
        # The draw's other half: which of the three fates. It is independent of the half that chose.
        fate = counters.low_half(draws)
        picks = counters.high_half(self._draws(ids, rows, epoch, _REPLACE))
        random_ids = drawable[counters.high_half(picks.mul_(drawable.numel()))]
        shown = torch.where(fate < self._random_below, random_ids, ids)
        shown = shown.masked_fill_(fate < self._mask_below, self.vocabulary.mask_id)
        return MaskedBatch(torch.where(chosen, shown, ids), ids.masked_fill(~chosen, IGNORED))

    def _draws(self, ids: Tensor, rows: Tensor, epoch: int, purpose: int) -> Tensor:
        """64 random bits per token: int64, the shape of `ids`."""
        base = counters.signed(counters.key(self.seed, epoch, purpose))
        gamma = counters.signed(counters.GAMMA)
        of_row = counters.mix_tensor(rows.to(device=ids.device, dtype=torch.int64) * gamma + base)
        steps = torch.arange(1, ids.shape[1] + 1, device=ids.device, dtype=torch.int64) * gamma
        return counters.mix_tensor(of_row[:, None] + steps[None, :])

    def _choose(self, draws: Tensor, special: Tensor, word_starts: Tensor | None) -> Tensor:
        """Which tokens to predict, special ones not yet left out: bool (batch, chunk_size)."""
        if self.masking == "token":
            return draws < self._chosen_below
        if word_starts is None:
            raise ValueError(f"masking {self.masking!r} needs word_starts")
        starts = word_starts.bool()
        if self.masking == "whole_word":
            return _since_last(starts, draws) < self._chosen_below
        return self._spans(draws, special, starts)

    def _spans(self, draws: Tensor, special: Tensor, starts: Tensor) -> Tensor:
        """A two-state Markov chain over words, all chunks and positions at once.

        Each word's draw is a function from the state before it to the state after it. Where the function is
        constant the state is known whatever came before; elsewhere it is kept (or, for very short spans,
        turned over). So a state is that of the last constant, and no loop over the words is needed. The chain
        starts afresh, from its stationary share, at the beginning of a chunk and of a document: no span
        reaches over a special token.
        """
        anew = torch.zeros_like(special)
        anew[:, 0] = True
        anew[:, 1:] = special[:, :-1]
        low = min(self._begin_below, self._go_on_below)
        high = max(self._begin_below, self._go_on_below)
        constant = anew | (starts & ((draws < low) | (draws >= high)))
        masked = torch.where(anew, draws < self._chosen_below, draws < low)
        state = _since_last(constant, masked)
        if self._begin_below <= self._go_on_below:
            return state
        turns = (starts & ~constant).cumsum(dim=1)
        return state ^ ((turns - _since_last(constant, turns)) % 2 == 1)


def epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """The order in which an epoch goes through n chunks: a permutation of 0 to n-1, int64."""
    return counters.permutation(counters.key(seed, epoch, _ORDER), n)


def _since_last(marks: Tensor, values: Tensor) -> Tensor:
    """At each position, the value at the last mark at or before it (at position 0 if there is none)."""
    positions = torch.arange(marks.shape[1], device=marks.device, dtype=torch.int64)
    last = torch.where(marks, positions, 0).cummax(dim=1).values
    return values.gather(1, last)
