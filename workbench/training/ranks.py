"""The processes that train one run together: this process's rank, and their communication.

Decisions (a stop, a batch to halve, an error) go over gloo on the CPU, in a group without a time-out: one
process may prepare text for hours while the others wait. Only gradients and the sums of an evaluation go over
the devices' own links. A process that dies breaks gloo's connections, so that no other waits for it.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from workbench.errors import PeerError, TrainingError, WorkbenchError
from workbench.training.interrupted import Interrupted
from workbench.training.machine import reset_accelerate

T = TypeVar("T")

_FOREVER = timedelta(days=365)
_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Ranks:
    """This process among those of its run. Rank 0 leads: only it records, and writes checkpoints.

    `local_rank`: its number on this machine. All processes must call every method in the same order; each
    call raises PeerError once another process is gone.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """The `value` of every process, a JSON value, in the order of ranks."""
        if self.count == 1:
            return [value]
        own = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.count)]
        self._do(lambda: dist.all_gather(sizes, torch.tensor([own.numel()])))
        longest = max(int(size) for size in sizes)
        texts = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.count)]
        padded = torch.nn.functional.pad(own, (0, longest - own.numel()))
        self._do(lambda: dist.all_gather(texts, padded))
        pairs = zip(texts, sizes, strict=True)
        return [json.loads(text[: int(size)].numpy().tobytes()) for text, size in pairs]

    def from_first(self, value: Any) -> Any:
        """The `value` of rank 0, a JSON value."""
        return self.gather(value if self.leads else None)[0]

    def sum(self, *values: float) -> list[float]:
        """The sum of each value over processes, as float64 on the CPU, without waiting for a device."""
        if self.count == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64)
        self._do(lambda: dist.all_reduce(sums))
        return [float(value) for value in sums.tolist()]

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true in any process."""
        return self.sum(float(flag))[0] > 0

    def sum_tensor(self, tensor: Tensor) -> Tensor:
        """Sum a tensor over processes, in place, on its device."""
        if self.count > 1:
            self._do(lambda: dist.all_reduce(tensor))
        return tensor

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Copy rank 0's values of these tensors to every process."""
        for tensor in tensors if self.count > 1 else ():
            self._do(lambda tensor=tensor: dist.broadcast(tensor, 0))  # type: ignore[misc]

    def start_sum(self, tensor: Tensor) -> Any:
        """Start to sum a tensor over processes; `finish` the result before reading the tensor."""
        return self._do(lambda: dist.all_reduce(tensor, async_op=True))

    def finish(self, work: Any) -> None:
        """Wait for a result of `start_sum`."""
        self._do(work.wait)

    def together(self, work: Callable[[], T]) -> T:
        """Call `work()` on every process. If it fails on one, it fails on all, and one of them reports it.

        The leading process raises its own error, or one with the message of the first process that failed;
        the others raise their own error or PeerError. A stop of one process stops all.
        """
        failure: Exception | None = None
        try:
            result = work()
        except Exception as error:
            failure = error
        if self.count == 1:
            if failure is not None:
                raise failure
            return result
        told = self.gather(None if failure is None else _told(failure))
        failed = [rank for rank, words in enumerate(told) if words is not None]
        if not failed:
            return result
        if failure is not None and (self.leads or told[0] is None):
            raise failure
        first = told[failed[0]]
        if all(told[rank]["stop"] for rank in failed):
            raise Interrupted
        if self.leads:
            raise TrainingError(
                f"Process {failed[0]} of {self.count}, on {first['host']}: {first['message']}", first["hint"]
            )
        raise PeerError(f"Process {failed[0]} of {self.count} failed.")

    def once_a_machine(self, work: Callable[[], T]) -> T:
        """Call `work()` on every process, in three turns: rank 0; one process of each other machine, which
        reuses rank 0's files if they share a folder; then all others.
        """
        turn = 0 if self.leads else 1 if self.local_rank == 0 else 2
        results: list[T] = []
        for number in range(3):
            self.together(lambda number=number: results.append(work()) if number == turn else None)  # type: ignore[misc]
        return results[0]

    def leave(self) -> None:
        """Leave the group. Afterwards this process is a single one, which may train and score alone."""
        if self.count == 1:
            return
        if dist.is_initialized():
            dist.destroy_process_group()
        for name in _VARIABLES:
            os.environ.pop(name, None)
        reset_accelerate()

    def _do(self, collective: Callable[[], T]) -> T:
        try:
            return collective()
        except RuntimeError as error:  # gloo's: the connection was closed by the peer
            raise PeerError(
                f"Another of the run's {self.count} processes is gone: {first_line(error)}",
                "Its last checkpoint is kept.",
            ) from error


ALONE = Ranks()


def join() -> Ranks:
    """Connect with the processes that RANK, WORLD_SIZE and LOCAL_RANK describe; waits for all of them.

    Without these variables this process is alone.
    """
    count = int(os.environ.get("WORLD_SIZE") or 1)
    if count == 1:
        return ALONE
    if not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=_FOREVER)
    return Ranks(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK") or 0))


def first_line(error: BaseException) -> str:
    """The first line of an error's message."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _told(error: Exception) -> dict[str, Any]:
    """An error as a JSON value, which another process can report."""
    told = {"host": platform.node(), "stop": isinstance(error, Interrupted), "hint": ""}
    if isinstance(error, WorkbenchError):
        return told | {"message": error.message, "hint": error.hint}
    return told | {"message": f"{type(error).__name__}: {first_line(error)}", "hint": "See the run's log."}
