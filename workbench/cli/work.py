"""`work`: train a queued run in the foreground, under whatever engine started this command."""

from __future__ import annotations

import logging
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from workbench.cli.options import Db, RunReference, location, open_store
from workbench.engines.script import LOG
from workbench.errors import UsageError
from workbench.private import file_mode
from workbench.status import Status
from workbench.worker.rank import own_rank
from workbench.worker.setup import set_up_process
from workbench.worker.stop_flag import StopFlag

if TYPE_CHECKING:
    from workbench.store import Run, Store

_INTERRUPTED = 130
_PATIENCE = 150.0
"""Seconds to wait for a worker that may be dead on another machine: it is known after 120 s of silence."""
_LOOK_SECONDS = 2.0


def work(context: typer.Context, run: RunReference, db: Db = None) -> None:
    """Train a queued run here and exit with its outcome: for Kubernetes, Ray and other engines.

    Under torchrun or srun, with RANK and WORLD_SIZE, it is one of the run's processes. A run that crashed
    continues from its last checkpoint. SIGTERM saves one, queues the run again and exits with 75.
    """
    stop = StopFlag()
    stop.listen_to_signals()
    if own_rank() > 0:
        from workbench.worker.follower import follow

        raise typer.Exit(follow(stop))
    store = open_store(context, db)
    try:
        claimed = _to_claim(store, run)
    finally:
        store.close()
    _log_to(Path(claimed.folder) / LOG)

    from workbench.worker.entry import main

    place = location(context, db)
    arguments = ["--run", str(claimed.id), *(("--db", place) if place else ())]
    code = main(arguments, stop)
    raise typer.Exit(_INTERRUPTED if stop.signal == signal.SIGINT and not code else code)


def _log_to(file: Path) -> None:
    """Log to the run's file too, which the screens read; standard error is the engine's log."""
    set_up_process()
    file.touch(mode=file_mode())
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    logging.getLogger().addHandler(handler)


def _to_claim(store: Store, reference: str) -> Run:
    """The run, queued. One that crashed, or whose worker is silent until it counts as dead, is queued again.

    Raises UsageError.
    """
    from workbench.worker import launch
    from workbench.worker.liveness import refresh

    deadline = time.monotonic() + _PATIENCE
    while True:
        refresh(store)
        run = store.find(reference)
        if run.status != Status.RUNNING or time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    if run.status == Status.CRASHED:
        launch.queue_again(store, run.id)
        return store.run(run.id)
    if run.status != Status.QUEUED:
        hint = {
            Status.RUNNING: f"It trains on {run.host}.",
            Status.FINISHED: f"Train its model further: --model run:{run.id}",
        }.get(Status(run.status), f"Queue it again: mlm-workbench resume {run.id} --on work")
        raise UsageError(f"Run {run.id} {run.name} is {run.status}, not queued.", hint)
    return run
