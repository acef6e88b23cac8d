"""Workers on other machines, whose processes cannot be seen from here: judged by whether they still beat.

The time of a sign of life is by another machine's clock, or by this one's before it was set. So it is watched
whether the figure changes, by a clock that nobody sets; its distance from now only says whether to watch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from workbench.errors import UsageError
from workbench.store import Run, Store

QUIET_SECONDS = 120.0
"""Without a sign of life for so long, a worker is gone."""
WATCH_SECONDS = 5.0
"""Where clocks say so already, a worker is watched for so long: it beats every second."""
_LOOK_SECONDS = 0.5


@dataclass
class _Heard:
    """The newest sign of life, by the worker's clock, and since when it is known, by this process's."""

    heartbeat: float | None
    since: float
    beats: bool = False


_heard: dict[tuple[str, int, float], _Heard] = {}


def is_silent_elsewhere(store: Store, run: Run) -> bool:
    """Whether the run's worker has stopped to speak. Watches it for some seconds where clocks say so."""
    heard = _listen(store, run)
    if time.monotonic() - heard.since > QUIET_SECONDS:
        return True
    by_clock = abs(time.time() - max(run.heartbeat_at or 0.0, run.created_at))
    if heard.beats or by_clock <= QUIET_SECONDS:
        return False
    assert run.id is not None
    while time.monotonic() - heard.since < WATCH_SECONDS:
        time.sleep(_LOOK_SECONDS)
        try:
            if _listen(store, store.run(run.id)).beats:
                return False
        except UsageError:  # deleted meanwhile
            return False
    return True


def _listen(store: Store, run: Run) -> _Heard:
    assert run.id is not None
    key = store.url, run.id, run.created_at
    before = _heard.get(key)
    if before is None or before.heartbeat != run.heartbeat_at:
        _heard[key] = _Heard(run.heartbeat_at, time.monotonic(), beats=before is not None)
    return _heard[key]
