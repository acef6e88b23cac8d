"""Evaluates a model on held-out text with masks that never change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn import functional as F

from workbench.metrics import perplexity
from workbench.processes import lacks_memory
from workbench.training.batches import BatchMaker
from workbench.training.interrupted import Interrupted
from workbench.training.masked_only import MaskedLM
from workbench.training.ranks import ALONE, Ranks

TOKENS_PER_PASS = 16_384
"""Fixed, because the last digits of a sum depend on how it is split: they must not vary with the recipe."""


@dataclass(frozen=True)
class Evaluation:
    """Losses by chunk: `loss_sums` (chunks,) float64 in nats, `masked` (chunks,) tokens predicted in each."""

    loss_sums: np.ndarray
    masked: np.ndarray

    @property
    def loss(self) -> float:
        """Mean negative log likelihood per masked token, in nats: every token counts once."""
        return float(self.loss_sums.sum() / max(1, self.masked.sum()))

    @property
    def perplexity(self) -> float:
        return perplexity(self.loss)


@torch.no_grad()
def evaluate(
    model: MaskedLM,
    batches: BatchMaker,
    accelerator: Accelerator,
    *,
    ranks: Ranks = ALONE,
    progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Score every chunk of the table behind `batches`. `progress(done, total)` counts chunks.

    Each process takes every n-th pass; sums are reduced over processes, in float64 if the device supports it.
    Before each pass the processes agree whether one of them was asked to stop; if so, all raise Interrupted.
    """
    chunks = len(batches.table)
    per_pass = max(1, TOKENS_PER_PASS // batches.table.chunk_size)
    dtype = torch.float32 if accelerator.device.type == "mps" else torch.float64
    sums = torch.zeros(chunks, 2, dtype=dtype, device=accelerator.device)
    starts = range(0, chunks, per_pass)
    was_training = model.training
    model.eval()
    try:
        for turn in range(0, len(starts), ranks.count):
            if ranks.any(should_stop()):
                raise Interrupted
            for start in starts[turn : turn + ranks.count][ranks.rank : ranks.rank + 1]:
                rows = np.arange(start, min(start + per_pass, chunks))
                _score(model, batches, rows, sums)
                progress(int(rows[-1]) + 1, chunks)
    finally:
        model.train(was_training)
    loss_sums, masked = ranks.sum_tensor(sums).cpu().double().numpy().T
    return Evaluation(loss_sums, masked.astype(np.int64))


def _score(model: MaskedLM, batches: BatchMaker, rows: np.ndarray, sums: Tensor) -> None:
    """Add the losses and counts of consecutive `rows` to `sums` (chunks, 2); in halves when out of memory."""
    try:
        batch = batches.draw(rows, epoch=0)
        if not batch.masked:
            return
        logits = model(batch.input_ids, batch.positions).float()
        losses = F.cross_entropy(logits, batch.targets, reduction="none", ignore_index=-100)
    except Exception as error:
        if not lacks_memory(error) or rows.size == 1:
            raise
    else:
        chunk = int(rows[0]) + batch.positions // batches.table.chunk_size
        counted = torch.stack([losses.to(sums.dtype), (batch.targets != -100).to(sums.dtype)], dim=1)
        sums.index_add_(0, chunk, counted)
        return
    for half in np.array_split(rows, 2):  # outside `except`, whose traceback would keep the tensors alive
        _score(model, batches, half, sums)
