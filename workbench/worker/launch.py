"""Starts, stops and resumes runs. Nothing here waits for a training."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import StoreError, UsageError, WorkbenchError
from workbench.private import folder_mode, make_folder
from workbench.processes import is_same_process, own_identity
from workbench.recipe import Recipe
from workbench.status import ACTIVE, RESUMABLE, PlaceEngine, Status
from workbench.store import Run, Store
from workbench.store.sweep_lines import waits
from workbench.worker.detached import cannot_be_written, start_detached
from workbench.worker.devices import ASSIGNED, choose, gpus, processes_of, variables
from workbench.worker.launcher import MODULE as LAUNCHER_MODULE
from workbench.worker.liveness import LOG
from workbench.worker.ownership import works_elsewhere
from workbench.worker.reporting import REPORT_TO, check_trackers
from workbench.worker.split_of_ancestor import keep_split

_RUN = "run:"
_PASSWORD_OPTION = re.compile(r"([?&](?:ssl)?password=)[^&\s]*")


def start(
    store: Store,
    recipe: Recipe,
    name: str | None = None,
    tags: Sequence[str] = (),
    command: str = "",
    report_to: Sequence[str] = (),
    processes: int | None = None,
) -> Run:
    """Queue a run as `queue` does and start its worker, which outlives this process. Returns at once.

    processes: that many train it together (devices.processes_of); None: one for each GPU.
    """
    processes_of(recipe, processes, gpus())
    run = queue(store, recipe, name, tags, command, report_to, processes=processes)
    _spawn(store, run, gpus())
    return store.run(run.id)


def queue(
    store: Store,
    recipe: Recipe,
    name: str | None = None,
    tags: Sequence[str] = (),
    command: str = "",
    report_to: Sequence[str] = (),
    **columns: Any,
) -> Run:
    """Add a queued run of `recipe` with its folder; the caller starts its worker.

    `command`: the command line that a person would type, kept in the run's environment. `report_to`: trackers
    (reporting.TRACKERS), kept there too, for a resume. A model `run:latest` is resolved to a run here and
    now. `columns`: further columns of the run. Raises UsageError or StoreError.
    """
    check_trackers(report_to)
    if recipe.model.startswith(_RUN):
        recipe = keep_split(store, recipe.with_changes(model=f"{_RUN}{store.find(recipe.model).id}"))
    run = store.create_run(recipe, name, tags)
    environment = {"command": without_passwords(command), "working_folder": str(Path.cwd())}
    # Until the worker starts, this process owns the run, so that its death is noticed.
    store.update_run(
        run.id,
        environment=environment | ({REPORT_TO: list(report_to)} if report_to else {}),
        **own_identity().columns(),
        **columns,
    )
    try:
        folder = new_folder(Path(run.folder))
    except StoreError as error:
        fail(store, run.id, error)
        store.update_run(run.id, folder="")  # the folder is not this run's: it must not be deleted with it
        store.catalog.remove(run.id)
        raise
    store.update_run(run.id, folder=str(folder))
    run = store.run(run.id)
    store.claim_files(run)
    return run


def resume(store: Store, run_id: int, processes: int | None = None) -> Run:
    """Resume a run that was stopped, failed or crashed, from its newest whole checkpoint.

    processes: from here on that many, 0 for one per GPU; None: as many as before. Raises UsageError when the
    run is active or finished, StoreError when its folder is missing or belongs to the database that this one
    is a copy of.
    """
    known = store.run(run_id)
    wanted = known.processes if processes is None else processes or None
    if known.status in RESUMABLE:
        processes_of(known.recipe.filled(), wanted, gpus())
    run = queue_again(store, run_id, processes=wanted)
    run.processes = wanted
    chosen: list[str] = []
    if ASSIGNED in run.environment:
        # a run that the queue had assigned GPUs must not crowd onto the first ones
        others = [other for other in store.active_runs() if other.id != run_id and not waits(other)]
        chosen = choose(gpus(), others, wanted or 1, shared=True) or []
    _spawn(store, run, _assign(store, run, chosen))
    return store.run(run_id)


def queue_again(store: Store, run_id: int, **columns: Any) -> Run:
    """Queue an ended run again; the caller starts its worker. Returns the run as it was before.

    `columns`: further columns of the run. Raises UsageError and StoreError as `resume` does.
    """
    run = store.run(run_id)
    if run.status in RESUMABLE and not Path(run.folder).is_dir():
        hint = "Restore it (a database needs the `runs` folder beside it), or start a new run."
        if run.host not in (None, own_identity().host):
            hint = f"It ran on {run.host}: resume it there, or let both machines see that folder. {hint}"
        raise StoreError(f"The folder of run {run_id} {run.name} is gone: {run.folder}.", hint)
    if run.status in RESUMABLE:
        store.claim_files(run)
    queued = store.change_status(
        run_id,
        RESUMABLE,
        status=Status.QUEUED,
        phase=None,
        stop_requested_at=None,
        ended_at=None,
        error=None,
        error_hint=None,
        heartbeat_at=time.time(),
        **own_identity().columns(),
        queue_position=None,
        **columns,
    )
    if not queued:
        status = store.run(run_id).status
        if status == Status.FINISHED:
            raise UsageError(
                f"Run {run_id} {run.name} is finished; there is nothing to resume.",
                f"Train its model further in a new run: --model run:{run_id}",
            )
        raise UsageError(f"Run {run_id} {run.name} is already {status}.")
    return run


def start_waiting(store: Store, run: Run, chosen: Sequence[str] = ()) -> None:
    """Start the worker of a run that waits in the queue. `chosen`: the GPUs that it may use; empty: all.

    Raises StoreError when the worker cannot be started; the run is marked as failed then.
    """
    _spawn(store, run, _assign(store, run, chosen))


def _assign(store: Store, run: Run, chosen: Sequence[str]) -> list[str]:
    """The GPUs that a run may use. Chosen ones are recorded in its environment."""
    if not chosen or run.recipe.device not in ("auto", "cuda"):
        return gpus()
    run.environment = {**run.environment, ASSIGNED: ",".join(chosen)}
    store.update_run(run.id, environment=run.environment)
    return list(chosen)


def stop(store: Store, run_id: int) -> Run:
    """Ask a run to stop: it saves a checkpoint and ends by itself.

    A run that waits in the queue is removed from it; one that has ended does not change.
    """
    if store.sweeps.cancel(run_id) or _take_back(store, run_id):
        return store.run(run_id)
    store.request_stop(run_id)
    run = store.run(run_id)
    # The worker reads the request from the store within a second; the signal only makes it faster. A queued
    # run's worker is still starting Python: the signal would kill it.
    if run.status == Status.RUNNING and run.worker_pid is not None and run.host == own_identity().host:
        try:
            created = run.worker_started_at or 0.0
            own = not works_elsewhere(run.worker_pid, created, store.url)
            if own and is_same_process(run.worker_pid, created):
                os.kill(run.worker_pid, signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            pass
    return run


def _take_back(store: Store, run_id: int) -> bool:
    """Stop a run that waits for `mlm-workbench work`. Returns whether it did."""
    run = store.run(run_id)
    if run.place_engine != PlaceEngine.WORK or run.status != Status.QUEUED:
        return False
    return store.change_status(run_id, {Status.QUEUED}, status=Status.STOPPED, ended_at=time.time())


def without_passwords(command: str) -> str:
    """`command` with the passwords in URLs, and among their options, replaced by ***."""
    words = _PASSWORD_OPTION.sub(r"\1***", command).split(" ")
    for index, word in enumerate(words):
        before, separator, rest = word.partition("://")
        user, at, place = rest.rpartition("@")
        if separator and at and ":" in user:
            words[index] = f"{before}://{user.partition(':')[0]}:***@{place}"
    return " ".join(words)


def new_folder(wanted: Path) -> Path:
    """Create a folder for one run, readable by this user only: a log may quote private texts.

    If `wanted` exists already (of another database in the same place), a number is appended to its name.
    Raises StoreError.
    """
    folder, number = wanted, 2
    try:
        make_folder(wanted.parent)
        while True:
            try:
                folder.mkdir(mode=folder_mode())
                break
            except FileExistsError:
                folder = wanted.with_name(f"{wanted.name}-{number}")
                number += 1
    except OSError as error:
        raise cannot_be_written(folder, error) from error
    return folder


def _spawn(store: Store, run: Run, devices: list[str]) -> None:
    """Start the worker of a run, or the launcher of its workers. `devices`: the GPUs that it may use."""
    working_folder = Path(str(run.environment.get("working_folder") or Path.cwd()))
    try:
        count = processes_of(run.recipe.filled(), run.processes, devices)
        identity = start_detached(
            store,
            LAUNCHER_MODULE if count > 1 else "workbench.worker",
            ["--run", str(run.id), *(("--processes", str(count)) if count > 1 else ())],
            log=Path(run.folder) / LOG,
            # the recipe may name files relative to it
            working_folder=working_folder if working_folder.is_dir() else None,
            environment=variables(devices) if devices != gpus() else None,
        )
    except WorkbenchError as error:
        fail(store, run.id, error)
        raise
    # The worker writes this too once it has started; until then its death must be noticed as well.
    columns = {**identity.columns(), "heartbeat_at": time.time(), "queue_position": None}
    store.change_status(run.id, {Status.QUEUED}, **columns)


def fail(store: Store, run_id: int, error: WorkbenchError) -> None:
    """Mark an active run as failed, with the error's words."""
    store.change_status(
        run_id,
        ACTIVE,
        status=Status.FAILED,
        ended_at=time.time(),
        error=error.message,
        error_hint=error.hint,
    )
