"""The statuses of a run and of a sweep, and what each of them allows."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The status of a run, in the order of lists. `crashed`: its process vanished."""

    RUNNING = "running"
    QUEUED = "queued"
    FAILED = "failed"
    CRASHED = "crashed"
    STOPPED = "stopped"
    FINISHED = "finished"


ORDER = {str(status): place for place, status in enumerate(Status)}
"""The sort key of a status as stored; statuses of newer versions are missing."""

ACTIVE = frozenset({Status.QUEUED, Status.RUNNING})
"""The statuses of a run that has a process, or waits for one."""

ENDED = frozenset(Status) - ACTIVE
"""The statuses of a run that has no process."""

RESUMABLE = ENDED - {Status.FINISHED}
"""The statuses that `resume` accepts: the run ended before it was finished."""


class SweepState(StrEnum):
    """The state of a sweep. The first two are stored: whether its waiting runs are started."""

    RUNNING = "going"
    PAUSED = "paused"
    DONE = "done"


class PlaceEngine(StrEnum):
    """What starts a run's processes; a value of the run's column `place_engine`."""

    LOCAL = ""  # this program, on this machine
    WORK = "work"  # whoever calls `mlm-workbench work RUN`
    SLURM = "slurm"
