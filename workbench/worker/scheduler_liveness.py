"""See to it that somebody keeps the queue: whoever looks at the store starts a keeper where there is none."""

from __future__ import annotations

import time

from workbench.private import make_folder
from workbench.processes import Identity, Life, life_of
from workbench.store import Store
from workbench.store.tables import Keeper
from workbench.worker.detached import cannot_be_written, start_detached

MODULE = "workbench.sweeps.scheduler"
LOG = "keeper.log"
"""Beside the runs' folders."""
_START_SECONDS = 10.0
"""How long a keeper that was started here may take to say so."""
_started: dict[str, float] = {}


def ensure_keeper(store: Store) -> None:
    """Start the keeper if something waits to be started and nobody keeps the queue. Raises StoreError.

    Costs two queries. Two who find it missing may both start one: only one of those stays.
    """
    if not store.sweeps.work_left():
        return
    if is_kept(store.lease.holder()):
        _started.pop(store.url, None)  # should it vanish, another one is started at once
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


def is_kept(holder: Keeper | None) -> bool:
    """Whether this process still lives, as far as can be seen from here."""
    if holder is None or holder.pid is None:
        return False
    process = Identity(holder.pid, holder.started_at or 0.0, holder.host or "", holder.boot_id or "")
    return life_of(process, time.time() - (holder.heartbeat_at or 0.0)) is Life.ALIVE
