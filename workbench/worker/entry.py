"""The worker: trains one run from its recipe in the store, and records there how it goes."""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.caveats import diverged, divergence
from workbench.errors import PeerError, StoreError, WorkbenchError
from workbench.events import Listener, Message, Phase
from workbench.inference.resolve import resolve_model
from workbench.journal.lines import Kind
from workbench.paths import cache_folder
from workbench.private import make_private
from workbench.processes import own_identity
from workbench.recipe import Recipe
from workbench.status import PlaceEngine, Status
from workbench.store import Run, Store
from workbench.worker import environment
from workbench.worker.channel import Channel
from workbench.worker.explain import explain
from workbench.worker.follower import dismiss, lead
from workbench.worker.heartbeat import Heartbeat
from workbench.worker.job import AGAIN, MODEL, PROGRESS_SECONDS, Pulse, end_of_job, scratch_store
from workbench.worker.job_file import write_job
from workbench.worker.leash import LAUNCHER, Leash, launcher
from workbench.worker.phase_times import PhaseTimes
from workbench.worker.rank import LOST
from workbench.worker.recorder import Recorder, retry_until_written
from workbench.worker.reporting import Reporting
from workbench.worker.restarts import check_restarts
from workbench.worker.resuming import go_back_to_checkpoint
from workbench.worker.run_summary import RunSummary
from workbench.worker.scoring import score_run
from workbench.worker.setup import set_up_process
from workbench.worker.stop_flag import StopFlag
from workbench.worker.system import SystemSampler

log = logging.getLogger(__name__)

PATIENCE_AT_END = 600.0
"""How long a training that has ended keeps trying to write its last metrics to the store."""


def main(arguments: Sequence[str], stop: StopFlag) -> int:
    """Train the run that is named. Returns 0 when it finished or was stopped, 1 when it failed, and AGAIN
    when its job ends and it is to run again."""
    parser = argparse.ArgumentParser(prog="python -m workbench.worker", description=__doc__)
    parser.add_argument("--db", help="path or URL of the database; else MLM_WORKBENCH_DB")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--run", type=int, help="id of a queued run")
    which.add_argument("--folder", type=Path, help="a run's folder; the database is not opened")
    options = parser.parse_args(arguments)
    set_up_process()
    with contextlib.ExitStack() as closing:
        try:
            if options.folder is not None:
                store, run = closing.enter_context(scratch_store(options.folder))
                if run.status == Status.FINISHED:
                    log.info("run %s is finished already", run.id)
                    dismiss()
                    return 0
            else:
                store = Store.open(options.db)
                closing.callback(store.close)
                store.be_patient(PATIENCE_AT_END)
                _back_up(store)
                run = store.run(options.run)
            run = _claim(store, run.id)
        except WorkbenchError as error:
            log.error("%s", error)
            return 1
        return _Job(store, run, stop, in_job=options.folder is not None).do()


def _back_up(store: Store) -> None:
    try:
        store.back_up_daily()
    except StoreError as error:
        log.warning("%s", error)  # no reason not to train


def _claim(store: Store, run_id: int) -> Run:
    """Claim a queued run for this process. Raises StoreError if another process has it."""
    now = time.time()
    run = store.run(run_id)
    ours = store.change_status(
        run_id,
        {Status.QUEUED},
        status=Status.RUNNING,
        phase=str(Phase.STARTING),
        progress_done=0,
        progress_total=0,
        progress_unit="",
        started_at=run.started_at or now,
        heartbeat_at=now,
        progress_at=now,
        **own_identity().columns(),
    )
    if not ours:
        raise StoreError(f"Run {run_id} {run.name} is {store.run(run_id).status}, not queued.")
    return run


_LET_GO = {
    "status": str(Status.CRASHED),
    "error": "The process that had started this run's processes was killed.",
    "error_hint": "A checkpoint was saved: `mlm-workbench resume` continues from it.",
}


class _Job:
    """One run, from the claim to its end."""

    def __init__(self, store: Store, run: Run, stop: StopFlag, *, in_job: bool = False) -> None:
        """`in_job`: the store is a scratch one, and the run's journal is read by others."""
        self._store, self._run, self._run_id, self._stop = store, run, run.id, stop
        self._folder = Path(run.folder)
        self._ended_at: float | None = None
        self._leash = Leash(stop).hold()
        self._heartbeat = Heartbeat(store, self._run_id, own_identity(), stop)
        self._in_job = in_job
        self._channel = Channel(
            store, run, journal_first=in_job, progress_seconds=PROGRESS_SECONDS if in_job else 0.0
        )
        self._pulse = Pulse(self._channel, stop) if in_job else None

    def do(self) -> int:
        """Train, then record how it ended. Returns the exit code."""
        with self._heartbeat, self._pulse or contextlib.nullcontext():
            try:
                log.info("run %s, %s", self._run_id, time.strftime("%Y-%m-%d %H:%M:%S %z"))
                self._begin_journal()
                if self._in_job:
                    check_restarts(self._folder)
                outcome = self._train()
                ending: dict[str, Any] = {"status": outcome, "phase": None}
                if self._in_job and outcome == Status.STOPPED:
                    ending = end_of_job(self._folder)
                elif self._leash.broken and outcome == Status.STOPPED:
                    ending = _LET_GO
                elif outcome == Status.STOPPED and self._is_to_run_again():
                    ending = {"status": str(Status.QUEUED), "phase": None}
                log.info("%s", ending["status"])
            except PeerError as error:
                log.error("%s", error)
                if launcher() is not None:  # it knows which process that was, and writes it
                    self._channel.close()
                    return LOST
                ending = {"status": str(Status.CRASHED), "error": error.message, "error_hint": error.hint}
            except BaseException as error:
                # the phase stays: it shows when the error occurred
                ending = {"status": str(Status.FAILED), **explain(error, self._folder)}
                log.error("%s %s", ending["error"], ending["error_hint"])
                log.error("%s", traceback.format_exc().rstrip())
            with contextlib.suppress(OSError):  # libraries may have written files that others can read
                make_private(self._folder)
            self._write_ending(ending)
            self._channel.close()
        if ending["status"] == Status.QUEUED:
            return AGAIN
        return 0 if ending["status"] in (Status.FINISHED, Status.STOPPED) else 1

    def _is_to_run_again(self) -> bool:
        """Whether `mlm-workbench work` is ended by its engine, and no user asked for a stop."""
        run = self._store.run(self._run_id)
        by_engine = self._stop.signal == signal.SIGTERM and run.stop_requested_at is None
        return by_engine and run.place_engine == PlaceEngine.WORK

    def _begin_journal(self) -> None:
        """Take in what an earlier process reported and could not store, and begin a file of this process."""
        store, run_id, again = self._store, self._run_id, self._run.started_at is not None
        retry_until_written(lambda: store.journals.ingest(run_id, statuses=False), self._should_give_up)
        retry_until_written(lambda: self._channel.open(self._run.segment + again), self._should_give_up)
        if not self._in_job:
            with contextlib.suppress(OSError):  # told where the journal is written, if it lasts
                write_job(store, self._run)
        self._channel.note(Kind.CLAIM, process=own_identity().columns(), phase=str(Phase.STARTING))

    def _tell(self, kind: Kind, **values: Any) -> None:
        self._channel.note(kind, **values)
        retry_until_written(self._channel.save, self._should_give_up)

    def _train(self) -> str:
        """The status that the training ends with."""
        if not self._in_job:
            self._store.claim_files(self._run)
        facts = {**self._run.environment, **environment.facts(), LAUNCHER: launcher()}
        facts.pop(MODEL, None)
        self._tell(Kind.COLUMNS, values={"environment": facts})
        recipe = self._run.recipe.complete()

        # Slow imports come after the run has shown that it started.
        from transformers.utils import logging as transformers_logging

        from workbench.training.engine import train

        transformers_logging.disable_progress_bar()
        resume_from, summary, segment = None, RunSummary(), self._run.segment
        if self._run.started_at is not None:
            resume_from, summary = go_back_to_checkpoint(self._store, self._run, self._channel)
            segment += 1
        model = None
        facts |= environment.device_facts()
        if resume_from is None:
            model = self._model_of_run(recipe)
            facts["base_model"] = model or recipe.model
        self._tell(Kind.COLUMNS, values={"environment": facts})
        step, epoch = summary.columns["step"] or 0, summary.columns["epoch"] or 0.0
        with (
            Recorder(self._channel, segment, summary, give_up=self._should_give_up) as record,
            Reporting(record, self._run) as report,
            PhaseTimes(report, step=step, epoch=epoch) as timed,
            SystemSampler(timed, step=step, epoch=epoch) as listen,
        ):
            try:
                lead(recipe, self._folder, resume_from, model)
                outcome = train(
                    recipe,
                    self._folder,
                    listen,
                    cache=cache_folder(),
                    should_stop=self._stop,
                    resume_from=resume_from,
                    model=model,
                ).value
                if outcome == Status.FINISHED:
                    record.flush()  # scoring reads the checkpoints from the store
                    self._warn_of_divergence(listen)
                    self._score(listen)
                return outcome
            finally:
                self._ended_at = time.monotonic()

    def _warn_of_divergence(self, listen: Listener) -> None:
        run = self._store.run(self._run_id)
        run.status = Status.FINISHED  # the status it is about to get
        if diverged(run):
            listen(Message(divergence(run), level="warning"))

    def _score(self, listen: Listener) -> None:
        run = self._store.run(self._run_id)
        from workbench.worker.score_keeper import ScoreKeeper

        keeper = ScoreKeeper(self._tell, run)
        score_run(self._store, run, listen, cache=cache_folder(), should_stop=self._stop, keeper=keeper)

    def _model_of_run(self, recipe: Recipe) -> str | None:
        """The checkpoint that a model `run:RUN` stands for; None for any other model."""
        if not recipe.model.startswith("run:"):
            return None

        if self._in_job:
            return str(self._run.environment[MODEL])
        return resolve_model(self._store, model=recipe.model).path

    @property
    def _lost(self) -> bool:
        return self._heartbeat.lost or (self._pulse is not None and self._pulse.lost)

    def _should_give_up(self) -> bool:
        waited = time.monotonic() - self._ended_at if self._ended_at else 0.0
        return self._lost or waited > PATIENCE_AT_END

    def _write_ending(self, ending: dict[str, Any]) -> None:
        if self._lost:
            return
        self._ended_at = self._ended_at or time.monotonic()
        self._channel.note(Kind.ENDING, **{"error": None, "error_hint": None, **ending})
        retry_until_written(lambda: self._channel.save(sync=True), self._should_give_up)
