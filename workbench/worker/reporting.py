"""Reports a run's metrics to experiment trackers besides the store, through Accelerate's tracker classes.

Trackers run on a separate thread, so a slow one delays nothing. One that fails is dropped, with a warning in
the run's log. Trackers are not part of the recipe: they change no number.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import uuid
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from workbench.errors import UsageError
from workbench.events import EngineReady, Event, Listener, Metrics
from workbench.private import without_secrets, write_whole
from workbench.store import Run

log = logging.getLogger(__name__)

TRACKERS = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb", "trackio": "trackio"}
"""The package that each tracker needs, by the tracker's name."""
PROJECT = "mlm-workbench"
REPORT_TO = "report_to"
"""The key in a run's environment."""
_MLFLOW_RUN = "mlflow-run"
"""A file in the run's folder with MLflow's own id of the run."""
LAST_WORDS_SECONDS = 60.0
"""How long a training that has ended waits for trackers to take its last metrics."""


def check_trackers(names: Sequence[str]) -> None:
    """Raise UsageError for an unid_file tracker, or one whose package is not installed."""
    for name in names:
        if name not in TRACKERS:
            raise UsageError(f"There is no tracker {name!r}.", f"Trackers: {', '.join(TRACKERS)}.")
        if find_spec(TRACKERS[name]) is None:
            raise UsageError(
                f"Reporting to {name} needs the package {TRACKERS[name]}.",
                f"Install it: pip install {TRACKERS[name]}",
            )


class Reporting:
    """Forwards a training's events to `listen`, and its metrics to the run's trackers.

    A context manager. The trackers start when the engine is ready: they ask Accelerate for this process's
    rank.
    """

    def __init__(self, listen: Listener, run: Run) -> None:
        self._listen, self._run = listen, run
        self._names = [str(name) for name in run.environment.get(REPORT_TO) or ()]
        self._events: queue.SimpleQueue[Metrics | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        self._listen(event)
        if isinstance(event, EngineReady) and self._names and self._thread is None:
            self._thread = threading.Thread(target=self._report, daemon=True, name="reporting")
            self._thread.start()
        elif isinstance(event, Metrics) and self._thread is not None:
            self._events.put(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is None:
            return
        self._events.put(None)
        self._thread.join(LAST_WORDS_SECONDS)
        if self._thread.is_alive():
            log.warning("%s did not take the last metrics in time.", ", ".join(self._names))

    def _report(self) -> None:
        trackers = {}
        for name in self._names:
            try:
                trackers[name] = _start_tracker(name, self._run)
                log.info("reports to %s", name)
            except BaseException as error:  # SystemExit too: some trackers exit when nobody is logged in
                _log_failure(name, error)
        while (event := self._events.get()) is not None:
            values = {str(name): value for name, value in event.values.items() if math.isfinite(value)}
            for name in list(trackers):
                try:
                    trackers[name].log(values, step=event.step)
                except Exception as error:
                    _log_failure(name, error)
                    del trackers[name]
        for name, tracker in trackers.items():
            try:
                tracker.finish()
            except Exception as error:
                _log_failure(name, error)


def _start_tracker(name: str, run: Run) -> Any:
    """Start a tracker and send it the recipe. A resumed run continues its earlier entry there."""
    from accelerate import tracking

    label = f"{run.id}-{run.name}"
    id_file = Path(run.folder) / _MLFLOW_RUN
    tracker: Any
    match name:
        case "tensorboard":
            # in the run's folder: `tensorboard --logdir runs` finds those of all runs
            tracker = tracking.TensorBoardTracker("tensorboard", logging_dir=Path(run.folder))
        case "mlflow":
            # MLflow assigns the id; the others accept one
            earlier = id_file.read_text(encoding="utf-8").strip() if id_file.is_file() else None
            tracker = tracking.MLflowTracker(experiment_name=PROJECT, run_name=label, run_id=earlier)
        case "wandb":
            own_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{run.folder} {run.created_at}").hex
            tracker = tracking.WandBTracker(PROJECT, name=label, dir=run.folder, id=own_id, resume="allow")
        case "trackio":
            tracker = tracking.TrackioTracker(PROJECT, name=label, resume="allow")
        case _:
            raise UsageError(f"There is no tracker {name!r}.")
    tracker.start()
    if name == "mlflow":
        write_whole(id_file, str(tracker.tracker.info.run_id).encode())
    values = {key: "" if value is None else value for key, value in run.recipe.items()}
    tracker.store_init_configuration(values)
    return tracker


def _log_failure(name: str, error: BaseException) -> None:
    reason = (without_secrets(str(error)).strip() or type(error).__name__).splitlines()[0]
    log.warning("Reporting to %s has stopped: %s", name, reason)
