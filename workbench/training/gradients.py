"""Sums the gradient of a step over the processes of a run while it is being computed.

PyTorch's DistributedDataParallel cannot continue after one process ran out of memory in a backward pass: the
others wait for its gradients for ever. Here every process sums all buckets in every step, in the same order,
even if its backward pass failed; then they agree whether the sums are valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from workbench.training.ranks import Ranks

BUCKET_BYTES = 25 << 20
"""The size of a bucket, as in PyTorch (Li et al. 2020, PyTorch Distributed: Experiences on Accelerating Data
Parallel Training)."""


class GradientSum:
    """Sums the gradients of `parameters` over processes, in buckets, as a backward pass completes them."""

    def __init__(self, ranks: Ranks, parameters: Sequence[nn.Parameter]) -> None:
        self._ranks = ranks
        self._buckets = _buckets(parameters)
        self._bucket_of = {
            parameter: number for number, bucket in enumerate(self._buckets) for parameter in bucket
        }
        self._missing: list[int] = []
        self._sent: list[tuple[Tensor, Any]] = []
        self._armed = False
        if ranks.count > 1:
            for parameter in parameters:
                parameter.register_post_accumulate_grad_hook(self._arrived)

    def begin(self) -> None:
        """Call it before the step's last backward pass on this process: buckets are sent as they fill."""
        self._missing = [len(bucket) for bucket in self._buckets]
        self._armed = self._ranks.count > 1

    def finish(self) -> None:
        """Send the remaining buckets, and set the parameters' gradients to the sums.

        Every process must call it, even if its backward pass failed.
        """
        self._armed = False
        if self._ranks.count == 1:
            return
        while len(self._sent) < len(self._buckets):
            self._send()
        for bucket, (flat, work) in zip(self._buckets, self._sent, strict=True):
            self._ranks.finish(work)
            parts = flat.split([parameter.numel() for parameter in bucket])
            for parameter, part in zip(bucket, parts, strict=True):
                parameter.grad = part.view_as(parameter)
        self._sent = []

    def _arrived(self, parameter: Tensor) -> None:
        if not self._armed:
            return
        self._missing[self._bucket_of[parameter]] -= 1  # type: ignore[index]
        while len(self._sent) < len(self._buckets) and self._missing[len(self._sent)] == 0:
            self._send()

    def _send(self) -> None:
        bucket = self._buckets[len(self._sent)]
        parts = [
            torch.zeros_like(parameter) if parameter.grad is None else parameter.grad for parameter in bucket
        ]
        flat = torch.cat([part.reshape(-1) for part in parts])
        self._sent.append((flat, self._ranks.start_sum(flat)))


def _buckets(parameters: Sequence[nn.Parameter]) -> list[list[nn.Parameter]]:
    """Parameters grouped by type, last ones first: the order in which a backward pass reaches them."""
    buckets: list[list[nn.Parameter]] = []
    room = 0
    for parameter in reversed(parameters):
        size = parameter.numel() * parameter.element_size()
        alike = buckets and buckets[-1][0].dtype == parameter.dtype
        if not alike or size > room:
            buckets.append([])
            room = BUCKET_BYTES
        buckets[-1].append(parameter)
        room -= size
    return buckets
