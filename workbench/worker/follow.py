"""Runs whose workers report through a journal alone: read it into the store, and tell how old the news is."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from pathlib import Path

from workbench.journal.lines import file_of, numbers
from workbench.status import PlaceEngine, Status
from workbench.store import Run, Store

log = logging.getLogger(__name__)

FOLLOW_SECONDS = 2.0
"""A process reads the same journal no oftener."""
LATE_SECONDS = 3600.0
"""For so long after a crash the rest of a journal is looked for."""
_CLOCK_SECONDS = 60.0
_read: dict[tuple[str, int], float] = {}
_clocks: dict[Path, tuple[float, float]] = {}


def follow(store: Store, *, at_once: bool = False) -> None:
    """Read what the workers of jobs have reported. Costs a look at one file for each of these runs.

    at_once: also those that were read a moment ago. Raises StoreError.
    """
    for run in store.journaled_runs(since=time.time() - LATE_SECONDS):
        key, now = (store.url, run.id), time.monotonic()
        if not at_once and now - _read.get(key, -FOLLOW_SECONDS) < FOLLOW_SECONDS:
            continue
        _read[key] = now
        try:
            store.journals.ingest(run.id)
            _note_news(store, run)
        except OSError as error:  # its folder may not be read: others are
            log.debug("run %s: %s", run.id, error)


def age_of_news(run: Run) -> float | None:
    """Seconds since a running run's worker last wrote its journal; None: its worker writes to the store."""
    if run.place_engine == PlaceEngine.LOCAL or run.status != Status.RUNNING or run.heartbeat_at is None:
        return None
    return max(0.0, time.time() - run.heartbeat_at)


def _note_news(store: Store, run: Run) -> None:
    """A worker in a job writes or touches its journal every few seconds: that is its heartbeat."""
    folder = Path(run.folder)
    newest = max(numbers(folder), default=None)
    if newest is None:
        return
    changed = file_of(folder, newest).stat().st_mtime + clock_offset(folder.parent)
    heard = min(changed, time.time())
    if heard > (run.heartbeat_at or 0.0) + 0.5:
        store.change_status(run.id, {Status.RUNNING}, heartbeat_at=heard)


def clock_offset(folder: Path) -> float:
    """Seconds by which this machine's clock is ahead of that of the folder's file system, which a server of
    files keeps by itself: found out once a minute by writing a file."""
    now = time.monotonic()
    known = _clocks.get(folder)
    if known is None or now - known[0] > _CLOCK_SECONDS:
        offset = 0.0
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"?")
                file.flush()
                offset = time.time() - os.fstat(file.fileno()).st_mtime
        except OSError:  # it may only be read
            pass
        known = _clocks[folder] = now, offset
    return known[1]
