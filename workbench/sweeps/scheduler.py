"""The scheduler of the queue: python -m workbench.sweeps.scheduler --db URL

A process that starts waiting runs, one at a time or one per device, resumes those runs of sweeps whose
process vanished, asks a cluster how the runs there stand, and ends when nothing is left to do. A store has
one scheduler; a second one notices and exits. If
it is killed, any program that opens the store starts it again; it keeps no state outside the store.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.engines import control
from workbench.engines.watcher import Watcher
from workbench.errors import StoreError, WorkbenchError
from workbench.processes import log_to_standard_error, own_identity
from workbench.recipe import Affects
from workbench.recipe_fields import agree
from workbench.status import Status
from workbench.store import Run, Store
from workbench.store.sweep_lines import waits
from workbench.store.sweeps import MOST_RESUMES, PLACED, PROCESSES, RESUMED
from workbench.sweeps.pruning import prune
from workbench.sweeps.search import ask
from workbench.worker import devices, launch, liveness
from workbench.worker.jobs import has_job, is_elsewhere, jobs_to_watch
from workbench.worker.scheduler_liveness import is_held, work_left
from workbench.worker.stop_flag import StopFlag

log = logging.getLogger("workbench.sweeps.scheduler")  # when run as a program, the module's name is __main__

LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0
"""How long to wait for a database server that restarts; later, whoever looks starts another scheduler."""
_BEAT_SECONDS = 2.0


class Scheduler:
    """Starts waiting runs until none is left, and resumes vanished ones."""

    def __init__(self, store: Store, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._store, self._should_stop = store, should_stop
        own = own_identity()
        self._pid, self._created = own.worker_pid, own.worker_started_at
        self._process = {
            "pid": own.worker_pid,
            "started_at": own.worker_started_at,
            "host": own.host,
            "boot_id": own.boot_id,
        }
        self._devices = devices.gpus()
        self._beaten = 0.0
        self._watcher: Watcher | None = None

    def run(self) -> bool:
        """Run until the queue is empty; False if another process holds the lease."""
        if not self._take_lease():
            return False
        log.info("scheduling the queue of %s", self._store.location)
        try:
            # A process that saw this scheduler alive may have queued a run after the last look. The look
            # after the lease was released finds it.
            while self._schedule_until_empty() and work_left(self._store) and self._take_lease():
                pass
        finally:
            self._watch_jobs(False)
            self._store.lease.release(self._pid, self._created)
        log.info("the queue is empty")
        return True

    def _take_lease(self) -> bool:
        holder = self._store.lease.holder()
        return not is_held(holder, self._store.url) and self._store.lease.take(holder, **self._process)

    def _schedule_until_empty(self) -> bool:
        """Start runs until nothing waits, then release the lease; False if this process must end."""
        while (starting := self._store.sweeps.work_left() or self._trials_are_running()) or jobs_to_watch(
            self._store
        ):
            if self._should_stop() or not self._keep_lease():
                return False
            self._watch_jobs(self._store.has_active_jobs())
            try:
                self._look()
            except WorkbenchError as error:
                log.warning("%s", error)  # that run has failed; the next one may start
            time.sleep(LOOK_SECONDS if starting else _BEAT_SECONDS)
        self._store.lease.release(self._pid, self._created)
        return True

    def _watch_jobs(self, wanted: bool) -> None:
        """Keep a thread that asks the cluster, while there are jobs and this process holds the lease."""
        if self._watcher is not None and (not wanted or not self._watcher.is_alive()):
            self._watcher.end()
            self._watcher = None
        if wanted and self._watcher is None:
            self._watcher = Watcher(self._store)
            self._watcher.start()

    def _keep_lease(self) -> bool:
        now = time.monotonic()
        if now - self._beaten < _BEAT_SECONDS:
            return True
        self._beaten = now
        try:
            return self._store.lease.beat(self._pid, self._created)
        except StoreError as error:
            log.warning("%s", error)
            return True

    def _look(self) -> None:
        """Start as many runs as there is room for."""
        active = liveness.refresh(self._store, looking=False)
        elsewhere = [run for run in active if is_elsewhere(run)]
        running = [run for run in active if not waits(run) and run.host in (None, self._process["host"])]
        running = [run for run in running if not is_elsewhere(run)]
        self._watch_trials([*running, *elsewhere])
        self._submit_trials(elsewhere)
        while (run := self._next(running)) is not None:
            if run.status == Status.CRASHED:
                self._resume(run)
            else:
                log.info("starting run %s %s", run.id, run.name)
                launch.start_waiting(self._store, run, self._gpus(run, self._plan(run), running) or ())
            running.append(self._store.run(run.id))

    def _submit_trials(self, elsewhere: Sequence[Run]) -> None:
        """Submit trials of searches on a cluster: no more at once than the search may have."""
        for search in self._store.sweeps.searches():
            active = sum(run.sweep_id == search.id for run in elsewhere)
            if PLACED not in search.plan or active >= (search.plan.get("parallel") or 1):
                continue
            run = ask(self._store, search)
            if run is not None:
                log.info("submitting run %s %s", run.id, run.name)
                control.send(self._store, [run])

    def _resume(self, run: Run) -> None:
        """Resume a run whose process vanished. Counted first, since starting it may be what kills it."""
        count = run.environment.get(RESUMED, 0) + 1
        log.info(
            "resuming run %s %s, whose process vanished (%s of %s)", run.id, run.name, count, MOST_RESUMES
        )
        self._store.update_run(run.id, environment={**run.environment, RESUMED: count})
        launch.resume(self._store, run.id)

    def _next(self, running: Sequence[Run]) -> Run | None:
        """The next run, if there is room for one: vanished runs come first."""
        for run in self._store.sweeps.crashed()[:1]:
            return run if self._has_room(run, self._plan(run), running) else None
        for run in self._store.sweeps.waiting()[:1]:
            room = self._has_room(run, self._plan(run), running)
            return run if room and not self._is_being_prepared(run.recipe, run.sweep_id, running) else None
        for search in self._store.sweeps.searches():
            if PLACED in search.plan:
                continue
            room = self._has_room(None, search.plan, running)
            if room and not self._is_being_prepared(search.plan["base"], search.id, running):
                return ask(self._store, search)
        return None

    def _is_being_prepared(
        self, recipe: Mapping[str, object], sweep_id: int | None, running: Sequence[Run]
    ) -> bool:
        """Whether another run is preparing this text, which a second one would only repeat."""
        preparing = [run for run in running if not run.data and agree(run.recipe, recipe, Affects.TEXT)]
        if not preparing or sweep_id is None:
            return bool(preparing)
        siblings = self._store.sweeps.runs(sweep_id)
        return not any(run.data and agree(run.recipe, recipe, Affects.TEXT) for run in siblings)

    def _plan(self, run: Run) -> dict[str, Any]:
        """The plan of the run's sweep; {} for a run without a sweep."""
        return self._store.sweeps.sweep(run.sweep_id).plan if run.sweep_id is not None else {}

    def _has_room(self, run: Run | None, plan: dict[str, Any], running: Sequence[Run]) -> bool:
        """Whether a waiting run, or the next trial of a search, may start.

        It gets GPUs of its own, unless the sweep sets the number of parallel runs.
        """
        return len(running) < self._parallel(plan) and self._gpus(run, plan, running) is not None

    def _gpus(self, run: Run | None, plan: dict[str, Any], running: Sequence[Run]) -> list[str] | None:
        """The GPUs for a run; empty if there is no choice, None while too few are free."""
        wanted = run.processes if run else plan.get(PROCESSES)
        device = run.recipe.device if run else plan["base"].get("device", "auto")
        if device not in ("auto", "cuda"):
            return []
        shared = isinstance(plan.get("parallel"), int)
        return devices.choose(self._devices, running, wanted or 1, shared=shared)

    def _parallel(self, plan: dict[str, object]) -> int:
        """The number of parallel runs: the sweep's setting, or one per GPU, at least one."""
        wanted = plan.get("parallel")
        return wanted if isinstance(wanted, int) else max(len(self._devices), 1)

    def _watch_trials(self, running: Sequence[Run]) -> None:
        """Prune the trials of searches that are clearly behind."""
        for run in running:
            plan = self._plan(run) if run.status == Status.RUNNING else {}
            if plan.get("trials") and plan.get("pruner") != "none":
                pruned = prune(self._store, run, plan)
                if pruned and has_job(run):
                    control.stop(self._store, run.id)

    def _trials_are_running(self) -> bool:
        """Whether trials of a search, which may have to be pruned, are running."""
        return any(self._plan(run).get("trials") for run in self._store.active_runs() if not waits(run))


def main(arguments: Sequence[str], stop: StopFlag) -> int:
    """Schedule the queue of a store. Returns 0 when it is empty or another process schedules it."""
    parser = argparse.ArgumentParser(prog="python -m workbench.sweeps.scheduler", description=__doc__)
    parser.add_argument("--db", help="path or URL of the database; else MLM_WORKBENCH_DB")
    options = parser.parse_args(arguments)
    log_to_standard_error()
    try:
        store = Store.open(options.db)
    except WorkbenchError as error:
        log.error("%s", error)
        return 1
    store.be_patient(_PATIENCE_SECONDS)
    try:
        Scheduler(store, stop).run()
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    flag = StopFlag()
    flag.listen_to_signals()
    sys.exit(main(sys.argv[1:], flag))
