"""What the engine says of its jobs, written into the store, where all viewers read it."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from pathlib import Path

from workbench.engines.protocol import Engine, EngineError, JobState, Stand
from workbench.engines.slurm_words import advice_for
from workbench.status import ACTIVE, Status
from workbench.store import Run, Store
from workbench.worker.jobs import has_job
from workbench.worker.liveness import LOG, last_lines

log = logging.getLogger(__name__)

SETTLE_SECONDS = 5.0
"""After a job's end its run's last records may take so long to be read, on a slow file system."""
_GONE = JobState(Stand.ENDED, "GONE", "Slurm no longer knows its job")


class Watch:
    """Asks once for all jobs of a store and writes what is new. Not for several threads at once."""

    def __init__(self, store: Store, engine: Engine, settle: float = SETTLE_SECONDS) -> None:
        self._store, self._engine, self._settle = store, engine, settle
        self._silent_since: float | None = None
        self._ended: dict[int, float] = {}

    @property
    def is_settling(self) -> bool:
        """Whether a job has ended whose run may still say how: worth another look soon."""
        return bool(self._ended)

    def look(self) -> int:
        """Ask once. Returns the number of active jobs, for a caller that ends when there are none.

        An engine that does not answer changes no run's status.
        """
        runs = [run for run in self._store.active_runs() if has_job(run)]
        if not runs:
            return 0
        try:
            seen = self._engine.look({run.job for run in runs if run.job})
        except EngineError as error:
            self._note_silence(runs, error)
            return len(runs)
        self._silent_since, now = None, time.time()
        as_before = [run.id for run in runs if not self._apply(run, seen.get(run.job or "", _GONE), now)]
        self._store.saw_jobs(as_before, now)
        return len(runs)

    def _note_silence(self, runs: list[Run], error: EngineError) -> None:
        self._silent_since = self._silent_since or time.time()
        log.warning("%s", error)
        said = f"Slurm does not answer since {datetime.fromtimestamp(self._silent_since):%H:%M}"
        for run in runs:
            if run.engine_reason != said:
                self._store.update_run(run.id, engine_reason=said)

    def _apply(self, run: Run, state: JobState, now: float) -> bool:
        """Write what is new of a run's job. Returns whether anything was."""
        if state.stand is not Stand.ENDED:
            self._ended.pop(run.id, None)
        reason = state.why if state.stand is Stand.WAITING else state.nodes
        columns = {"engine_state": state.word, "engine_reason": reason, "engine_seen_at": now}
        if state.stand is Stand.WAITING and run.status == Status.RUNNING:
            # it was requeued: what its last worker wrote is read before the row says so
            self._store.journals.ingest(run.id)
            columns |= {"phase": None}
            self._store.change_status(run.id, {Status.RUNNING}, status=Status.QUEUED, **columns)
        elif state.stand is Stand.ENDED:
            self._store.update_run(run.id, **columns)
            self._end(run, state)
        elif (run.engine_state, run.engine_reason) == (state.word, reason):
            return False
        else:
            self._store.update_run(run.id, **columns)
        return True

    def _end(self, run: Run, state: JobState) -> None:
        """A job has ended: its run has said how, or will never say it."""
        self._store.journals.ingest(run.id)
        run = self._store.run(run.id)
        if run.status not in ACTIVE:
            self._ended.pop(run.id, None)
            return
        since = self._ended.setdefault(run.id, time.monotonic())
        asked = run.stop_requested_at is not None
        if time.monotonic() - since < self._settle and not (asked and run.status == Status.QUEUED):
            return
        del self._ended[run.id]
        if asked:
            self._store.change_status(run.id, ACTIVE, status=Status.STOPPED, phase=None, ended_at=time.time())
            return
        self._store.change_status(run.id, ACTIVE, **_crash(run, state))


def _crash(run: Run, state: JobState) -> dict[str, object]:
    """The columns of a run whose job ended without a word from its worker."""
    how = f"{state.why[:1].upper()}{state.why[1:]}."
    if run.status == Status.QUEUED and run.started_at is not None:
        how = (
            f"Its job ended after a checkpoint, and Slurm did not put it back into the queue ({state.word})."
        )
    lines = last_lines(Path(run.folder) / LOG) if run.folder else []
    resume = f"`mlm-workbench resume {run.id}` submits it again, from its last checkpoint."
    return {
        "status": Status.CRASHED,
        "ended_at": min(run.heartbeat_at or time.time(), time.time()) if run.started_at else time.time(),
        "error": "\n".join([how, "The log ends with:", *lines]) if lines else how,
        "error_hint": f"{advice_for(state.word)} {resume}".strip(),
    }
