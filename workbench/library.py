"""The Python interface: trains a recipe from a script or notebook, in the usual worker process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.errors import TrainingError
from workbench.recipe import Recipe
from workbench.status import ACTIVE, Status
from workbench.store import Run, Store
from workbench.worker import launch, liveness

_LOOK_SECONDS = 0.1
_LIVENESS_SECONDS = 1.0


def train(
    recipe: Recipe,
    *,
    name: str | None = None,
    tags: Sequence[str] = (),
    store: Store | str | Path | None = None,
    report_to: Sequence[str] = (),
    processes: int | None = None,
    wait: bool = True,
    listen: Callable[[Run], None] | None = None,
) -> Run:
    """Train `recipe` in a separate process, which outlives this one. Returns the run at its end.

    store: an open store, or the path or URL of one; None: $MLM_WORKBENCH_DB, or experiments.db in the current
    folder. report_to: trackers such as tensorboard, besides the store. processes: how many train it together;
    None: one per GPU. wait: False returns at once, while the run continues. listen: called in this thread
    with the run whenever it has changed.

    An interrupt (Ctrl-C, or a notebook's stop) stops the run with a checkpoint and is raised again when that
    is saved; a second one is raised at once. Raises TrainingError when the run failed or crashed, UsageError
    for an invalid name, StoreError when the store cannot be used.
    """
    with contextlib.ExitStack() as closing:
        if not isinstance(store, Store):
            store = Store.open(store)
            closing.callback(store.close)
        run = launch.start(store, recipe, name, tags, report_to=report_to, processes=processes)
        if not wait:
            return run
        run_id = run.id
        try:
            run = _follow(store, run_id, listen)
        except KeyboardInterrupt:
            launch.stop(store, run_id)
            _follow(store, run_id, listen)
            raise
    if run.status in (Status.FAILED, Status.CRASHED):
        raise TrainingError(f"Run {run.id} {run.name} {run.status}: {run.error}", run.error_hint or "")
    return run


def _follow(store: Store, run_id: int, listen: Callable[[Run], None] | None) -> Run:
    """Wait until the run has ended, and return it."""
    version, checked = None, time.monotonic()
    while True:
        if time.monotonic() - checked >= _LIVENESS_SECONDS:
            checked = time.monotonic()
            liveness.refresh(store)
        seen, run = store.data_version(), store.run(run_id)
        if listen is not None and seen != version:
            listen(run)
        version = seen
        if run.status not in ACTIVE:
            return run
        time.sleep(_LOOK_SECONDS)
