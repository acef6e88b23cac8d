"""Jobs of a cluster: whether there are any to watch, and whether anybody is watching the runs."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from workbench.private import file_mode
from workbench.status import PlaceEngine, Status
from workbench.store import Run, Store

_LOOKED = ".looked"
"""A file beside the runs' folders, touched while anybody watches the runs."""
_TELL_SECONDS = 5.0
_told: dict[Path, float] = {}


def has_job(run: Run) -> bool:
    """Whether the run is a job of a cluster, which knows its state."""
    return run.place_engine == PlaceEngine.SLURM and run.job is not None


def is_elsewhere(run: Run) -> bool:
    """Whether the run is for a cluster, submitted or not, or waits for `mlm-workbench work`."""
    waits_for_work = run.place_engine == PlaceEngine.WORK and run.status == Status.QUEUED
    return run.place_engine == PlaceEngine.SLURM or waits_for_work


def jobs_to_watch(store: Store) -> bool:
    """Whether there are active jobs, and this machine can query the cluster."""
    return can_ask() and store.has_active_jobs()


def can_ask() -> bool:
    """Whether this machine has the command that lists jobs."""
    return shutil.which("squeue") is not None


def say_that_somebody_looks(folder: Path) -> None:
    """Tell the process that queries the cluster that somebody is watching. `folder`: of all runs."""
    now = time.monotonic()
    if now - _told.get(folder, -_TELL_SECONDS) < _TELL_SECONDS:
        return
    _told[folder] = now
    sign = folder / _LOOKED
    try:
        os.close(os.open(sign, os.O_WRONLY | os.O_CREAT, file_mode()))
        os.utime(sign)
    except OSError:  # the jobs' states are then a little older
        pass


def looked_at(folder: Path) -> float:
    """When somebody last watched the runs, in seconds since 1970; 0.0: never."""
    try:
        return (folder / _LOOKED).stat().st_mtime
    except OSError:
        return 0.0
