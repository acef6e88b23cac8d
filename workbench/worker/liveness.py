"""Notices runs whose process has vanished (killed, out of memory, machine restarted) or makes no progress."""

from __future__ import annotations

import platform
import time
from contextlib import suppress
from pathlib import Path

from workbench.errors import StoreError
from workbench.processes import FROM_1970, Identity, Life, is_suspended, life_of, process_exists
from workbench.status import PlaceEngine, Status
from workbench.store import Run, Store
from workbench.store.sweep_lines import waits
from workbench.text import printable
from workbench.worker.death import Death, death_of
from workbench.worker.elsewhere import is_silent_elsewhere
from workbench.worker.follow import age_of_news, follow
from workbench.worker.jobs import has_job, say_that_somebody_looks
from workbench.worker.leash import launcher_lives
from workbench.worker.ownership import works_elsewhere
from workbench.worker.scheduler_liveness import ensure_scheduler

LOG = "worker.log"
"""The worker's log, in the run's folder."""

QUIET_SECONDS = 10.0
"""A worker beats every second. After this much silence its pid belongs to another process."""
START_SECONDS = 60.0
"""How long a queued run may be without a process before it counts as never started."""
OLD_NEWS_SECONDS = 60.0
"""A journal is written to every five seconds; a network file system may show that half a minute later."""
STALL_SECONDS = 300.0
"""A run without progress for this long has stalled: a step of any sane recipe is shorter."""
_LAST_LINES, _LAST_BYTES, _LONGEST_LINE = 5, 8192, 300


def refresh(store: Store, *, looking: bool = True) -> list[Run]:
    """Mark runs whose process is gone as crashed; the runs that are still queued or running. Where runs wait
    in the queue and it has no scheduler, one is started.

    `looking`: on behalf of a person, so that jobs of a cluster are asked for more often. Costs a few queries
    and a look at one process per active run. A run that was marked by mistake (its
    machine slept, or its clock was set) marks itself as running again at its next sign of life.
    """
    with suppress(StoreError):  # what is known is shown all the same
        follow(store)
    active = []
    for run in store.active_runs():
        dead = _why_dead(store, run)
        if dead is None:
            active.append(run)
            continue
        if run.status == Status.RUNNING:  # it may have reported its end, and not lived to store it
            _read_journal(store, run)
        resume = f"`mlm-workbench resume {run.id}` continues from its last checkpoint."
        # Of all who look at the same time, one writes; a run that ended by itself in between stays so.
        store.change_status(
            run.id,
            {run.status},
            status=Status.CRASHED,
            ended_at=min(run.heartbeat_at or time.time(), time.time()),  # the clock may have been set back
            error=with_last_lines(dead.how, run),
            error_hint=f"{dead.advice} {resume}".strip(),
        )
    if looking and any(has_job(run) for run in active):
        say_that_somebody_looks(store.runs_folder)
    with suppress(StoreError):  # the scheduler has its own log; the runs are shown in any case
        ensure_scheduler(store)
    return active


def stalled(run: Run) -> str:
    """Why a running run seems to have stalled; "" when it makes progress, or is not running.

    Costs a look at one process. Nothing is written: the run may take its next step at any time.
    """
    if run.status != Status.RUNNING or run.worker_pid is None:
        return ""
    if run.host == platform.node() and is_suspended(run.worker_pid):
        return f"suspended; `kill -CONT {run.worker_pid}` continues it"
    age = age_of_news(run)
    if age is not None and age > OLD_NEWS_SECONDS:
        return f"last news {_roughly(age)} ago"
    silence = seconds_of_silence(run) if age is None else 0.0
    if silence > QUIET_SECONDS:
        return f"no heartbeat for {_roughly(silence)}, though its process is alive"
    without_progress = time.time() - max(run.progress_at or 0.0, run.started_at or 0.0)
    if without_progress > STALL_SECONDS:
        return f"no progress for {_roughly(without_progress)}"
    return ""


def _read_journal(store: Store, run: Run) -> None:
    with suppress(StoreError, OSError):
        store.journals.ingest(run.id)


def seconds_of_silence(run: Run) -> float:
    """Seconds since the last heartbeat of the run's worker."""
    return time.time() - max(run.heartbeat_at or 0.0, run.created_at)


def _why_dead(store: Store, run: Run) -> Death | None:
    """How the run's process died; None when it is alive, or may be.

    On this machine the process itself is checked. Clocks, which anybody may set, count only for other
    machines.
    """
    if has_job(run):
        return None  # its engine knows, and is asked by whoever holds the scheduler's lease
    if run.status == Status.QUEUED and run.place_engine == PlaceEngine.WORK:
        return None  # somebody starts it, after hours if need be
    if run.worker_pid is None:  # nobody is named: its row was made a moment ago, or is of an earlier version
        late = not waits(run) and abs(seconds_of_silence(run)) > START_SECONDS
        return Death("Its worker never started.") if late else None
    if run.host != platform.node():
        if is_silent_elsewhere(store, run):
            return Death(f"Its worker on {run.host} sends no heartbeat any more.")
        return None
    created = run.worker_started_at or 0.0
    match life_of(Identity(run.worker_pid, created, run.host, run.boot_id or ""), silence=0.0):
        case Life.ALIVE if works_elsewhere(run.worker_pid, created, store.url):
            return Death("It was training when this database was copied; it is running in the original.")
        case Life.ALIVE:
            return None
        case Life.RESTARTED:
            return Death("The machine was restarted while it ran.")
    return _vanished(run)


def _vanished(run: Run) -> Death | None:
    """How a worker of this machine died whose process is gone; None if it may be alive all the same."""
    assert run.worker_pid is not None
    created = run.worker_started_at or 0.0
    if launcher_lives(run.environment):
        return None  # it ends the other processes and records which one died
    # A different creation time means another process. But a worker of an earlier version counted it from
    # 1970, which moves with the clock: such a worker is alive while it beats.
    from_1970 = created >= FROM_1970
    if from_1970 and process_exists(run.worker_pid) and abs(seconds_of_silence(run)) < QUIET_SECONDS:
        return None
    death = death_of(run.worker_pid, created, run.environment.get("oom_kills"))
    return Death(f"Its process (pid {run.worker_pid}) vanished: {death.how}.", death.advice)


def _roughly(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def with_last_lines(reason: str, run: Run) -> str:
    """Why a run ended, with what its log says last."""
    lines = last_lines(Path(run.folder) / LOG) if run.folder else []
    if not lines:
        return reason
    return "\n".join([reason, "The log ends with:", *lines])


def last_lines(log: Path, count: int = _LAST_LINES) -> list[str]:
    """The last non-empty lines of a log, safe to display; [] when it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LAST_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    lines = [printable(line.rstrip("\r").rpartition("\r")[2]).strip() for line in text.split("\n")]
    return [line[:_LONGEST_LINE] for line in lines if line][-count:]
