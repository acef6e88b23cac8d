"""The statuses of a run and of a sweep, and what each of them allows."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How a run stands, in the order in which a person looks for it. `crashed`: its process vanished."""

    RUNNING = "running"
    QUEUED = "queued"
    FAILED = "failed"
    CRASHED = "crashed"
    STOPPED = "stopped"
    FINISHED = "finished"


ORDER = {str(status): place for place, status in enumerate(Status)}
"""Of a run's status as the store has it; one that a newer version wrote is not in it."""

ACTIVE = frozenset({Status.QUEUED, Status.RUNNING})
"""The statuses of a run that has a process, or waits for one."""

ENDED = frozenset(Status) - ACTIVE
"""The statuses of a run that has no process."""

RESUMABLE = ENDED - {Status.FINISHED}
"""The statuses that `resume` goes on from: the run did not come to its end."""


class SweepState(StrEnum):
    """How a sweep stands. The first two are its status in the store: whether its waiting runs are started."""

    RUNNING = "going"
    PAUSED = "paused"
    DONE = "done"


class PlaceEngine(StrEnum):
    """What starts a run's processes; a value of the run's column `place_engine`."""

    LOCAL = ""  # this program, on this machine
    WORK = "work"  # whoever calls `mlm-workbench work RUN`
    SLURM = "slurm"
