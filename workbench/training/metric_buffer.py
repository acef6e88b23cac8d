"""Collects the metrics of each step without waiting for the device.

Losses stay on the device. From time to time those of the last steps are copied to the host in the background;
they are read once the copy has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class MeasuredStep(NamedTuple):
    """The metrics of one optimizer step. The last three are scalars on the device, of shape ()."""

    step: int
    learning_rate: float
    tokens: int
    loss_sum: Tensor
    masked: Tensor
    grad_norm: Tensor


@dataclass(frozen=True)
class StepRecord:
    """The same on the host: sum of losses in nats, number of masked tokens, gradient norm before clipping."""

    step: int
    learning_rate: float
    tokens: int
    loss_sum: float
    masked: float
    grad_norm: float

    @property
    def loss(self) -> float:
        return self.loss_sum / max(1.0, self.masked)


_HostValues = tuple[int, float, int]  # step, learning rate, tokens


class MetricBuffer:
    """A queue of measured steps, read in the order in which they were written."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._written: list[tuple[_HostValues, Tensor]] = []
        self._copies: list[tuple[list[_HostValues], Tensor, torch.cuda.Event | None]] = []

    def write(self, measured: MeasuredStep) -> None:
        """Add a step's metrics."""
        scalars = (measured.loss_sum, measured.masked, measured.grad_norm)
        values = torch.stack([value.detach().float().reshape(()) for value in scalars])
        self._written.append(((measured.step, measured.learning_rate, measured.tokens), values))

    def read(self, *, wait: bool = False) -> Iterator[StepRecord]:
        """The steps whose values have reached the host; with `wait`, all of them."""
        self._send()
        while self._copies:
            steps, values, arrived = self._copies[0]
            if arrived is not None:
                if not wait and not arrived.query():
                    return
                arrived.synchronize()
            self._copies.pop(0)
            for host_values, device_values in zip(steps, values.tolist(), strict=True):
                yield StepRecord(*host_values, *device_values)

    def _send(self) -> None:
        if not self._written:
            return
        steps = [host_values for host_values, _ in self._written]
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
