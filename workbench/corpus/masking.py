"""Masks: which tokens the model must predict, and what it sees in their place.

Every draw is a hash of (seed, epoch, chunk number, position, purpose). So a chunk's masks are the same on
every device, at every batch size and on any number of processes, and a resumed run needs no generator state.
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
"""The seed of the test masks. Recipe seeds are below 2**31, so that no training draws the same masks."""

IGNORED = -100
"""The label of a token that is not predicted; torch's cross entropy ignores it."""

_CHOOSE, _REPLACE, _ORDER = 1, 2, 3  # the purposes of draws


class MaskedBatch(NamedTuple):
    """What the model sees and must predict: both (batch, chunk_size) int64; label -100 for no prediction."""

    input_ids: Tensor
    labels: Tensor


class Masker:
    """Draws masks for batches of chunks.

    token: each token is chosen with probability mask_prob. whole_word: each word is, with all its tokens.
    span: runs of words are, with geometric lengths of mean `span_length` (after SpanBERT, Joshi et al. 2020,
    but neither clipped nor overlapping), so that each word is covered with probability mask_prob. Each chosen
    token independently becomes the mask token (`mask_share`), a random non-special token (`random_share`), or
    stays (`keep_share`). Special tokens are never chosen.
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
        turn: int = 0,
    ) -> None:
        """`turn`: for single tokens, which part of them is chosen: the parts of successive turns are disjoint
        until all tokens were chosen once, then begin again, shifted.
        """
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
        self._chosen_from = turn * self._chosen_below % (1 << 32)
        self._mask_below = counters.threshold(mask_share)
        self._random_below = counters.threshold(mask_share + random_share) if keep_share > 0 else 1 << 32
        # After an unmasked word a span begins with probability `begin`; after a masked word it ends with
        # probability `end`. The share of masked words is begin / (begin + end), and the mean length of a
        # masked run is 1 / end.
        begin = min(1.0, mask_prob / (span_length * (1 - mask_prob)))
        end = begin * (1 - mask_prob) / mask_prob
        self._begin_below, self._continue_below = counters.threshold(begin), counters.threshold(1 - end)

    @classmethod
    def for_training(cls, recipe: Recipe, vocabulary: Vocabulary) -> Masker:
        """The recipe's training masks, redrawn in every epoch from its seed."""
        return cls._of(recipe, vocabulary, recipe.seed)

    @classmethod
    def for_test(cls, recipe: Recipe, vocabulary: Vocabulary) -> Masker:
        """The recipe's test masks, drawn from the fixed seed. Call the masker with epoch 0."""
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
        """Mask a batch of chunks on their device, without synchronizing.

        ids: (batch, chunk_size), any integer type. rows: (batch,) int64, each chunk's number in its table.
        word_starts: (batch, chunk_size), nonzero where a token begins a word; required unless masking is
        "token".
        """
        ids = ids.to(torch.int64)
        is_special, drawable = self.vocabulary.tables(ids.device)
        special = is_special[ids.clamp(max=is_special.numel() - 1)]
        draws = self._draws(ids, rows, epoch, _CHOOSE)
        chosen = self._choose(counters.high_half(draws), special, word_starts) & ~special
        # The lower half of the draw decides between mask, random and keep, independently of the upper half.
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
        """Which tokens to predict, before special ones are excluded: bool (batch, chunk_size)."""
        if self.masking == "token":
            from_here = draws if not self._chosen_from else (draws - self._chosen_from) % (1 << 32)
            return from_here < self._chosen_below
        if word_starts is None:
            raise ValueError(f"masking {self.masking!r} needs word_starts")
        starts = word_starts.bool()
        if self.masking == "whole_word":
            return _since_last(starts, draws) < self._chosen_below
        return self._spans(draws, special, starts)

    def _spans(self, draws: Tensor, special: Tensor, starts: Tensor) -> Tensor:
        """A two-state Markov chain over words, computed for all chunks and positions at once.

        Each word's draw is a function from the state before it to the state after it. Where this function is
        constant, the state does not depend on earlier words; elsewhere the state stays (or, for very short
        spans, flips). So the state is that of the last constant, and no loop over words is needed. The chain
        restarts from its stationary distribution at the beginning of each chunk and document, so that no span
        crosses a special token.
        """
        restarts = torch.zeros_like(special)
        restarts[:, 0] = True
        restarts[:, 1:] = special[:, :-1]
        low = min(self._begin_below, self._continue_below)
        high = max(self._begin_below, self._continue_below)
        constant = restarts | (starts & ((draws < low) | (draws >= high)))
        masked = torch.where(restarts, draws < self._chosen_below, draws < low)
        state = _since_last(constant, masked)
        if self._begin_below <= self._continue_below:
            return state
        flips = (starts & ~constant).cumsum(dim=1)
        return state ^ ((flips - _since_last(constant, flips)) % 2 == 1)


def epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """The order in which an epoch visits n chunks: a permutation of 0 to n-1, int64."""
    return counters.permutation(counters.key(seed, epoch, _ORDER), n)


def _since_last(marks: Tensor, values: Tensor) -> Tensor:
    """For each position, the value at the last mark at or before it (at position 0 if there is none)."""
    positions = torch.arange(marks.shape[1], device=marks.device, dtype=torch.int64)
    last = torch.where(marks, positions, 0).cummax(dim=1).values
    return values.gather(1, last)
