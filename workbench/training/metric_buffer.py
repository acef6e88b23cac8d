"""Collect what each step measured without ever waiting for the device.

Losses stay on the device as they are made. Now and then those of the last steps are copied to the host in the
background; they are read when the copy has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class MeasuredStep(NamedTuple):
    """One optimizer step as it was taken: the last three are scalars on the device, of shape ()."""

    step: int
    learning_rate: float
    tokens: int
    loss_sum: Tensor
    masked: Tensor
    grad_norm: Tensor


@dataclass(frozen=True)
class StepRecord:
    """The same on the host: sum of losses in nats, tokens predicted, gradient norm before clipping."""

    step: int
    learning_rate: float
    tokens: int
    loss_sum: float
    masked: float
    grad_norm: float

    @property
    def loss(self) -> float:
        return self.loss_sum / max(1.0, self.masked)


_Known = tuple[int, float, int]  # step, learning rate, tokens


class MetricBuffer:
    """Steps written at one end, read in order at the other."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._written: list[tuple[_Known, Tensor]] = []
        self._copies: list[tuple[list[_Known], Tensor, torch.cuda.Event | None]] = []

    def write(self, measured: MeasuredStep) -> None:
        """Take what a step measured, on whatever device it is."""
        scalars = (measured.loss_sum, measured.masked, measured.grad_norm)
        values = torch.stack([value.detach().float().reshape(()) for value in scalars])
        self._written.append(((measured.step, measured.learning_rate, measured.tokens), values))

    def read(self, *, wait: bool = False) -> Iterator[StepRecord]:
        """The steps whose values have reached the host; with `wait`, all that were written."""
        self._send()
        while self._copies:
            steps, values, arrived = self._copies[0]
            if arrived is not None:
                if not wait and not arrived.query():
                    return
                arrived.synchronize()
            self._copies.pop(0)
            for known, measured in zip(steps, values.tolist(), strict=True):
                yield StepRecord(*known, *measured)

    def _send(self) -> None:
        if not self._written:
            return
        steps = [known for known, _ in self._written]
        values = torch.stack([values for _, values in self._written])
        self._written.clear()
        if self._device.type != "cuda":
            self._copies.append((steps, values.cpu(), None))
            return
        host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
        host.copy_(values, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record()
        self._copies.append((steps, host, arrived))
