"""Notice runs whose process has vanished: killed, out of memory, or gone with the machine."""

from __future__ import annotations

import platform
import time
from pathlib import Path

from workbench.store import Run, Status, Store
from workbench.text import printable
from workbench.worker.identity import boot_id, is_same_process, process_exists

LOG = "worker.log"
"""In the run's folder: what its worker says."""

QUIET_SECONDS = 10.0
"""A worker says every second that it lives. After so long a silence another process has its pid."""
QUIET_SECONDS_ELSEWHERE = 120.0
"""The same for a worker on another machine, whose processes cannot be seen from here."""
START_SECONDS = 60.0
"""How long a queued run may be without a process before it counts as never started."""
_LAST_LINES, _LAST_BYTES, _LONGEST_LINE = 5, 8192, 300


def refresh(store: Store) -> list[Run]:
    """Mark runs whose process is gone as crashed; the runs that are still queued or running.

    Costs one query and a look at one process per active run. A run that was marked by mistake (its machine
    slept, or its clock was set) marks itself as running again at its next sign of life.
    """
    active = []
    for run in store.active_runs():
        reason = _why_dead(run)
        if not reason:
            active.append(run)
            continue
        assert run.id is not None
        # Of all who look at the same time, one writes; a run that ended by itself in between stays so.
        store.change_status(
            run.id,
            {run.status},
            status=Status.CRASHED,
            ended_at=run.heartbeat_at or time.time(),
            error=_with_last_lines(reason, run),
            error_hint=f"`mlm-workbench resume {run.id}` goes on from its last checkpoint.",
        )
    return active


def seconds_of_silence(run: Run) -> float:
    """Seconds since the run's worker last said that it lives."""
    return time.time() - max(run.heartbeat_at or 0.0, run.created_at)


def _why_dead(run: Run) -> str:
    """Why the run can have no process any more; "" when it has one, or may have."""
    if run.worker_pid is None:
        return "Its worker never started." if seconds_of_silence(run) > START_SECONDS else ""
    here = boot_id()
    if run.host != platform.node():
        if seconds_of_silence(run) > QUIET_SECONDS_ELSEWHERE:
            return f"Its worker on {run.host} has given no sign of life for two minutes."
        return ""
    if run.boot_id and here and run.boot_id != here:
        return "The machine was restarted while it ran."
    if is_same_process(run.worker_pid, run.worker_started_at or 0.0):
        return ""
    # A creation time that does not match is another process, unless the clock was set: then it still speaks.
    if process_exists(run.worker_pid) and seconds_of_silence(run) < QUIET_SECONDS:
        return ""
    return f"Its process (pid {run.worker_pid}) vanished: killed, or out of memory."


def _with_last_lines(reason: str, run: Run) -> str:
    lines = last_lines(Path(run.folder) / LOG) if run.folder else []
    if not lines:
        return reason
    return "\n".join([reason, "The log ends with:", *lines])


def last_lines(log: Path, count: int = _LAST_LINES) -> list[str]:
    """The last lines of a log that are not empty, safe to show; none when it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LAST_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    lines = [printable(line.rstrip("\r").rpartition("\r")[2]).strip() for line in text.split("\n")]
    return [line[:_LONGEST_LINE] for line in lines if line][-count:]
