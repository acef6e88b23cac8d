"""The chunks of each step and their masks: a pure function of seed, epoch and step.

Nothing here depends on the batch size of one forward pass or on the number of processes: the rows of an
optimizer step are fixed, then split up, so that 1 x 32, 8 x 4 accumulated and 16 on each of 2 processes are
the same training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.corpus import ChunkTable
from workbench.corpus.masking import Masker, epoch_order

POSITIONS_QUANTUM = 64
"""The number of positions is padded to a multiple of this, so that shapes repeat from step to step.

The allocator can then reuse memory, and kernels are built once per shape (bench/NOTES.md).
"""
ON_DEVICE_SHARE = 0.1
"""The chunk table is kept on the GPU if it takes at most this share of the free memory."""


@dataclass(frozen=True)
class TrainingBatch:
    """The input of one forward pass. `positions` are flat indices into `input_ids`.

    Padded positions have target -100 and are not counted.
    """

    input_ids: Tensor  # (chunks, chunk_size) int64
    positions: Tensor  # (masked,) int64
    targets: Tensor  # (masked,) int64
    masked: int

    @property
    def tokens(self) -> int:
        return self.input_ids.numel()


class BatchMaker:
    """Draws masked batches from a table of chunks, on the training device."""

    def __init__(
        self, table: ChunkTable, masker: Masker, device: torch.device, *, fixed_shapes: bool = False
    ) -> None:
        self.table = table
        self.masker = masker
        self.device = device
        self.fixed_shapes = fixed_shapes
        self._capacity: dict[int, int] = {}
        self._on_device = self._copy_to_device() if device.type == "cuda" else None
        # The host must wait for the count of masked positions. On a separate stream it waits for the masks
        # only, not for the training steps that are queued on the GPU.
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def draw(self, rows: np.ndarray, epoch: int) -> TrainingBatch:
        """The chunks `rows` (chunks,) with the masks of `epoch`."""
        if self._stream is None:
            return self._draw(rows, epoch)
        with torch.cuda.stream(self._stream):
            batch = self._draw(rows, epoch)
        current = torch.cuda.current_stream(self.device)
        current.wait_stream(self._stream)
        for tensor in (batch.input_ids, batch.positions, batch.targets):
            tensor.record_stream(current)
        return batch

    def _draw(self, rows: np.ndarray, epoch: int) -> TrainingBatch:
        row_numbers = self._to_device(torch.from_numpy(rows))
        ids, word_starts = self._look_up(rows, row_numbers)
        masked = self.masker(ids, row_numbers, epoch, word_starts)
        labels = masked.labels.reshape(-1)
        positions = (labels != -100).nonzero().squeeze(1)
        count = positions.shape[0]
        targets = labels.index_select(0, positions)
        padding = (0, self._padded(count, labels.shape[0]) - count)
        positions = torch.nn.functional.pad(positions, padding)
        targets = torch.nn.functional.pad(targets, padding, value=-100)
        return TrainingBatch(masked.input_ids, positions, targets, count)

    def _padded(self, count: int, tokens: int) -> int:
        """The padded number of positions, at least `count`, of a pass over `tokens` tokens."""
        if not self.fixed_shapes:
            return _round_up(count)
        # torch.compile needs one shape: a capacity that is raised when it overflows
        if count > self._capacity.get(tokens, 0):
            # five standard deviations of a binomial count above the first count: overflow is then rare
            self._capacity[tokens] = _round_up(count + 5 * int(count**0.5) + 1)
        return self._capacity[tokens]

    def _look_up(self, rows: np.ndarray, row_numbers: Tensor) -> tuple[Tensor, Tensor | None]:
        wants_words = self.masker.masking != "token"
        if self._on_device is not None:
            ids, word_starts = self._on_device
            chosen = None if word_starts is None else word_starts.index_select(0, row_numbers)
            return ids.index_select(0, row_numbers), chosen
        ids = torch.from_numpy(self.table.ids[rows].astype(np.int64))
        word_starts = torch.from_numpy(np.array(self.table.word_starts[rows])) if wants_words else None
        return self._to_device(ids), None if word_starts is None else self._to_device(word_starts)

    def _to_device(self, tensor: Tensor) -> Tensor:
        if self.device.type != "cuda":
            return tensor.to(self.device)
        return tensor.pin_memory().to(self.device, non_blocking=True)

    def _copy_to_device(self) -> tuple[Tensor, Tensor | None] | None:
        cells = self.table.ids.size
        wants_words = self.masker.masking != "token"
        free_bytes, _ = torch.cuda.mem_get_info(self.device)
        if cells * (4 + wants_words) > ON_DEVICE_SHARE * free_bytes:
            return None
        ids = torch.from_numpy(self.table.ids.astype(np.int32)).to(self.device)
        word_starts = (
            torch.from_numpy(np.array(self.table.word_starts)).to(self.device) if wants_words else None
        )
        return ids, word_starts


def _round_up(count: int) -> int:
    return -(-count // POSITIONS_QUANTUM) * POSITIONS_QUANTUM


@dataclass(frozen=True)
class Step:
    """One optimizer step: its number from 1, its epoch from 0, and its chunks (chunks,)."""

    number: int
    epoch: int
    rows: np.ndarray
    ends_epoch: bool


@dataclass(frozen=True)
class StepPlan:
    """The steps of a run over `chunks` training chunks: `step_chunks` each, fewer at the end of an epoch."""

    seed: int
    chunks: int
    step_chunks: int
    epochs: int
    max_steps: int | None = None

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.chunks // self.step_chunks)

    @property
    def total_steps(self) -> int:
        steps = self.steps_per_epoch * self.epochs
        return steps if self.max_steps is None else min(steps, self.max_steps)

    def epoch_at(self, step: int) -> float:
        """Epochs completed after `step` steps."""
        return step / self.steps_per_epoch

    def steps_after(self, done: int) -> Iterator[Step]:
        """The steps after the first `done`, in the same order as in an uninterrupted run."""
        order, order_epoch = np.empty(0, np.int64), -1
        for number in range(done + 1, self.total_steps + 1):
            epoch, within = divmod(number - 1, self.steps_per_epoch)
            if epoch != order_epoch:
                order, order_epoch = epoch_order(self.seed, epoch, self.chunks), epoch
            rows = order[within * self.step_chunks : (within + 1) * self.step_chunks]
            yield Step(number, epoch, rows, ends_epoch=within == self.steps_per_epoch - 1)


def passes_of(step_chunks: int, batch_size: int, processes: int) -> int:
    """The number of forward passes per process and step, with at most `batch_size` chunks in each."""
    return max(1, -(-step_chunks // (batch_size * processes)))


def deal_out(rows: np.ndarray, passes: int, processes: int, process: int) -> list[np.ndarray]:
    """The share of a step's rows that `process` takes, as `passes` nearly equal parts.

    A part may be empty at the end of an epoch, when a step has fewer rows.
    """
    parts = np.array_split(rows, passes * processes)
    return parts[process::processes]
