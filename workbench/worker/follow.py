"""Reads the journals of runs whose workers cannot reach the store, and tells how old the news is."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from workbench.journal.lines import file_of, numbers
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker.jobs import is_elsewhere

log = logging.getLogger(__name__)

FOLLOW_SECONDS = 2.0
"""How often a process reads the same journal, at most."""
LATE_SECONDS = 3600.0
"""How long after a crash a journal is still read."""
_CLOCK_SECONDS = 60.0
WHOLE_SECONDS = 30.0
"""An unchanged journal is read again after this long: missing records may have arrived."""
_read: dict[tuple[str, int], float] = {}
_known: dict[tuple[str, int], tuple[_Newest | None, float]] = {}
_clocks: dict[Path, tuple[float, float]] = {}


def follow(store: Store, *, at_once: bool = False) -> None:
    """Read the journals of jobs' workers. Costs a look at one file for each of these runs.

    at_once: also journals that were just read. Raises StoreError.
    """
    for run in store.journaled_runs(since=time.time() - LATE_SECONDS):
        key, now = (store.url, run.id), time.monotonic()
        if not at_once and now - _read.get(key, -FOLLOW_SECONDS) < FOLLOW_SECONDS:
            continue
        _read[key] = now
        try:
            newest = _newest(Path(run.folder))
            followed = _known.get(key)
            if followed is not None and followed[0] == newest and now - followed[1] < WHOLE_SECONDS:
                continue
            store.journals.ingest(run.id)
            if newest is not None:
                _note_news(store, run, newest)
            _known[key] = newest, now
        except OSError as error:  # its folder may not be read: others are
            log.debug("run %s: %s", run.id, error)


def age_of_news(run: Run) -> float | None:
    """Seconds since a running run's worker last wrote its journal; None: its worker writes to the store."""
    if not is_elsewhere(run) or run.status != Status.RUNNING or run.heartbeat_at is None:
        return None
    return max(0.0, time.time() - run.heartbeat_at)


class _Newest(NamedTuple):
    """The state of a journal's newest file, which is read again only when it has changed."""

    number: int
    file: int
    size: int
    changed: float


def _newest(folder: Path) -> _Newest | None:
    """The state of the newest file; None if there is no journal yet."""
    try:
        number = max(numbers(folder), default=None)
    except FileNotFoundError:
        return None
    if number is None:
        return None
    with file_of(folder, number).open("rb") as file:  # opening makes a network file system refresh it
        found = os.fstat(file.fileno())
    return _Newest(number, found.st_ino, found.st_size, found.st_mtime)


def _note_news(store: Store, run: Run, newest: _Newest) -> None:
    """A worker in a job writes or touches its journal every few seconds: that is its heartbeat."""
    heard = min(newest.changed + clock_offset(Path(run.folder).parent), time.time())
    if heard > (run.heartbeat_at or 0.0) + 0.5:
        store.change_status(run.id, {Status.RUNNING}, heartbeat_at=heard)


def clock_offset(folder: Path) -> float:
    """Seconds by which this machine's clock is ahead of the clock of the folder's file system, which may be a
    server's. Measured once a minute by writing a file.
    """
    now = time.monotonic()
    known = _clocks.get(folder)
    if known is None or now - known[0] > _CLOCK_SECONDS:
        offset = 0.0
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"?")
                file.flush()
                offset = time.time() - os.fstat(file.fileno()).st_mtime
        except OSError:  # the folder is read-only
            pass
        known = _clocks[folder] = now, offset
    return known[1]
