"""Start, stop, cancel, requeue and resume runs, each on the engine of its place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.engines.place import Place
from workbench.engines.protocol import Engine, Stand
from workbench.engines.script import LOG, Layout
from workbench.engines.slurm import Slurm
from workbench.errors import StoreError, UsageError
from workbench.recipe import Recipe
from workbench.status import ACTIVE, PlaceEngine, Status
from workbench.store import Run, Store
from workbench.worker import launch
from workbench.worker.detached import start_detached
from workbench.worker.job_file import STOP

_SUBMIT = "workbench.engines.submit"
_NO_JOB: dict[str, Any] = {
    "job": None,
    "engine_state": None,
    "engine_reason": None,
    "engine_seen_at": None,
}
_NOBODY: dict[str, Any] = {"worker_pid": None, "worker_started_at": None, "host": None, "boot_id": None}
_HERE: dict[str, Any] = {
    **_NO_JOB,
    "place": "",
    "place_engine": PlaceEngine.LOCAL,
    "placement": {},
    "processes": None,
    "nodes": None,
}


def engine_of(run: Run) -> Engine:
    """The engine that runs a run which is not on this machine."""
    return Slurm()


def start(
    store: Store,
    recipe: Recipe,
    place: Place,
    name: str | None = None,
    tags: Sequence[str] = (),
    command: str = "",
    report_to: Sequence[str] = (),
    processes: int | None = None,
) -> Run:
    """Queue a run at a place and return at once. Raises UsageError or StoreError.

    On a cluster a process of its own fetches model and text, and submits the job.
    """
    if place.is_local:
        return launch.start(store, recipe, name, tags, command, report_to, processes)
    columns = columns_of(place, processes)
    run = launch.queue(store, recipe, name, tags, command, report_to, **columns)
    _hand_over(store, run)
    return store.run(run.id)


def _hand_over(store: Store, run: Run) -> None:
    """Give a queued run to the engine of its place."""
    if run.place_engine == PlaceEngine.WORK:
        store.change_status(run.id, {Status.QUEUED}, **_NOBODY)
    else:
        send(store, [run])


def columns_of(place: Place, processes: int | None = None) -> dict[str, Any]:
    """The columns of a run that say where it runs. Raises UsageError."""
    if place.engine == PlaceEngine.WORK:
        return {**_HERE, "place": place.name, "place_engine": place.engine, "processes": processes}
    layout = Layout.of(place, processes)
    return {
        "place": place.name,
        "place_engine": place.engine,
        "placement": place.to_json(),
        "processes": layout.processes,
        "nodes": layout.nodes,
    }


def send(store: Store, runs: Sequence[Run]) -> None:
    """Start the process that submits queued runs of one place as one job. Raises StoreError."""
    first = runs[0]
    named = Path(str(first.environment.get("working_folder") or ""))
    try:
        identity = start_detached(
            store,
            _SUBMIT,
            ["--run", *(str(run.id) for run in runs)],
            log=Path(first.folder) / LOG,
            working_folder=named if named.is_absolute() and named.is_dir() else None,
        )
    except StoreError as error:
        for run in runs:
            launch.fail(store, run.id, error)
        raise
    for run in runs:
        # until a job is known, this process answers for the run
        store.change_status(run.id, {Status.QUEUED}, **identity.columns(), heartbeat_at=time.time())


def resume(store: Store, run_id: int, place: Place | None = None, processes: int | None = None) -> Run:
    """Continue an ended run from its newest checkpoint, where it ran or at another place.

    Raises UsageError when it is running or finished.
    """
    run = store.run(run_id)
    if place is None:
        if run.place_engine == PlaceEngine.WORK:
            place = Place(run.place, PlaceEngine.WORK)
        elif run.place_engine != PlaceEngine.SLURM:
            return launch.resume(store, run_id, processes)
    if place is None:
        place, processes = Place.from_json(run.placement), processes or run.processes
    if place.is_local:
        store.update_run(run_id, **_HERE)
        return launch.resume(store, run_id, processes)
    columns = {**columns_of(place, processes or None), **_NO_JOB}
    launch.queue_again(store, run_id, **columns)
    _hand_over(store, store.run(run_id))
    return store.run(run_id)


def stop(store: Store, run_id: int) -> Run:
    """Ask a run to stop: it saves a checkpoint and ends. One that waits is taken out of the queue.

    Raises EngineError where the cluster does not answer; the run stops all the same when it sees the word.
    """
    run = store.run(run_id)
    if run.place_engine != PlaceEngine.SLURM or run.status not in ACTIVE:
        return launch.stop(store, run_id)
    _ask_to_stop(store, run)
    if run.job is None:  # not submitted yet; its submission looks at the word in the store
        return _end_waiting(store, run)
    engine = engine_of(run)
    engine.stop(run.job)
    return _end_cancelled(store, run, engine)


def cancel(store: Store, run_id: int) -> Run:
    """End a run's job at once; what was not saved is lost. Raises UsageError for a run without a job."""
    run = _with_job(store, run_id)
    _ask_to_stop(store, run)
    engine = engine_of(run)
    assert run.job is not None
    engine.cancel(run.job)
    return _end_cancelled(store, run, engine)


def requeue(store: Store, run_id: int) -> Run:
    """Put a running job back into the queue; it continues from a checkpoint. Raises UsageError."""
    run = _with_job(store, run_id)
    if run.status != Status.RUNNING:
        raise UsageError(f"Run {run_id} {run.name} is {run.status}; only a running job can be requeued.")
    assert run.job is not None
    engine_of(run).requeue(run.job)
    return store.run(run_id)


def _with_job(store: Store, run_id: int) -> Run:
    run = store.run(run_id)
    if run.place_engine != PlaceEngine.SLURM or run.job is None:
        raise UsageError(f"Run {run_id} {run.name} is no job of a cluster.", "`stop` ends it.")
    if run.status not in ACTIVE:
        raise UsageError(f"Run {run_id} {run.name} is already {run.status}.")
    return run


def _ask_to_stop(store: Store, run: Run) -> None:
    store.request_stop(run.id)
    try:
        (Path(run.folder) / STOP).touch()  # for the worker, which does not open the store
    except OSError as error:
        raise StoreError(f"The run's folder cannot be written: {error.strerror}.") from error


def _end_cancelled(store: Store, run: Run, engine: Engine) -> Run:
    """Mark a run as stopped whose job waited and is cancelled by now. One that runs ends by itself."""
    assert run.job is not None
    seen = engine.look([run.job]).get(run.job)
    now = store.run(run.id)
    if now.status == Status.QUEUED and (seen is None or seen.stand is Stand.ENDED):
        return _end_waiting(store, now)
    return now


def _end_waiting(store: Store, run: Run) -> Run:
    columns = {"status": Status.STOPPED, "phase": None, "ended_at": time.time(), "engine_reason": None}
    store.change_status(run.id, {Status.QUEUED}, **columns)
    return store.run(run.id)
