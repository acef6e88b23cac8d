"""Makes sure that a scheduler is running: any program that reads the store starts one if needed."""

from __future__ import annotations

import platform
import time

from workbench.private import make_folder
from workbench.processes import Identity, Life, life_of
from workbench.store import Store
from workbench.store.tables import LeaseRow
from workbench.worker.detached import cannot_be_written, start_detached
from workbench.worker.jobs import jobs_to_watch
from workbench.worker.ownership import works_elsewhere

MODULE = "workbench.sweeps.scheduler"
LOG = "scheduler.log"
"""The scheduler's log, in the folder of all runs."""
_START_SECONDS = 10.0
"""How long a scheduler started here may take to get the lease."""
_started: dict[str, float] = {}


def ensure_scheduler(store: Store) -> None:
    """Start a scheduler if there is work for it and none is running. Raises StoreError.

    Costs two queries. Two processes may both start one; only one of them keeps the lease.
    """
    if not work_left(store):
        return
    if is_held(store.lease.holder(), store.url):
        _started.pop(store.url, None)  # if it vanishes, start another one at once
        return
    now = time.monotonic()
    if now - _started.get(store.url, -_START_SECONDS) < _START_SECONDS:
        return
    _started[store.url] = now
    try:
        make_folder(store.runs_folder)
    except OSError as error:
        raise cannot_be_written(store.runs_folder, error) from error
    start_detached(store, MODULE, log=store.runs_folder / LOG)


def work_left(store: Store) -> bool:
    """Whether runs wait to be started, or jobs of a cluster to be watched."""
    return store.sweeps.work_left() or jobs_to_watch(store)


def is_held(holder: LeaseRow | None, url: str) -> bool:
    """Whether the lease's holder seems alive and works for the database at `url`."""
    if holder is None or holder.pid is None:
        return False
    process = Identity(holder.pid, holder.started_at or 0.0, holder.host or "", holder.boot_id or "")
    # a heartbeat in the future was written before a clock was set back
    silence = abs(time.time() - (holder.heartbeat_at or 0.0))
    if life_of(process, silence) is not Life.ALIVE:
        return False
    here = process.host == platform.node()
    return not (here and works_elsewhere(holder.pid, process.worker_started_at, url))
