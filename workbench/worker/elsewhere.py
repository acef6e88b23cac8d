"""Workers on other machines, whose processes are not visible from here: alive while their heartbeat changes.

A heartbeat carries the time of another machine's clock, or of this one's before it was adjusted. So what
counts is whether the value changes, measured by a monotonic clock; its distance from now only decides whether
to watch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from workbench.errors import UsageError
from workbench.store import Run, Store

QUIET_SECONDS = 120.0
"""A worker whose heartbeat has not changed for this long is gone."""
WATCH_SECONDS = 5.0
"""How long to watch a worker whose last heartbeat is old by the clocks; it beats every second."""
_LOOK_SECONDS = 0.5


@dataclass
class _LastBeat:
    """The newest heartbeat by the worker's clock, and since when this process has known it (monotonic)."""

    heartbeat: float | None
    since: float
    beats: bool = False


_last_beats: dict[tuple[str, int, float], _LastBeat] = {}


def is_silent_elsewhere(store: Store, run: Run) -> bool:
    """Whether the run's worker has stopped beating. Watches it for some seconds if its last beat looks
    old."""
    last = _look(store, run)
    if time.monotonic() - last.since > QUIET_SECONDS:
        return True
    by_clock = abs(time.time() - max(run.heartbeat_at or 0.0, run.created_at))
    if last.beats or by_clock <= QUIET_SECONDS:
        return False
    assert run.id is not None
    while time.monotonic() - last.since < WATCH_SECONDS:
        time.sleep(_LOOK_SECONDS)
        try:
            if _look(store, store.run(run.id)).beats:
                return False
        except UsageError:  # deleted meanwhile
            return False
    return True


def _look(store: Store, run: Run) -> _LastBeat:
    assert run.id is not None
    key = store.url, run.id, run.created_at
    before = _last_beats.get(key)
    if before is None or before.heartbeat != run.heartbeat_at:
        _last_beats[key] = _LastBeat(run.heartbeat_at, time.monotonic(), beats=before is not None)
    return _last_beats[key]
