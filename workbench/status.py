"""The statuses of a run, and what each of them allows."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a run stands. `crashed`: its process vanished without a word."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    CRASHED = "crashed"


ACTIVE = frozenset({Status.QUEUED, Status.RUNNING})
"""The statuses of a run that has a process, or waits for one."""

ENDED = frozenset(Status) - ACTIVE
"""The statuses of a run that has no process."""

RESUMABLE = frozenset({Status.STOPPED, Status.FAILED, Status.CRASHED})
"""The statuses that `resume` goes on from."""
