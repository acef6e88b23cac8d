"""A store whose runs are jobs, for the tests of this folder."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.engines import control
from workbench.engines.place import Place
from workbench.engines.slurm import Slurm
from workbench.engines.submit import submit
from workbench.engines.watch import Watch
from workbench.recipe import PRESETS, Recipe
from workbench.status import ACTIVE, PlaceEngine
from workbench.store import Run, Store
from workbench.worker import launch

SHORT = PRESETS["starter"].with_changes(
    train_size=60, test_size=20, batch_size=8, chunk_size=64, epochs=1, max_steps=30, precision="fp32"
)
"""Half a minute of training at most, with time enough to interrupt it."""


FULL = os.environ.get("MLM_WORKBENCH_CLUSTER") == "full"
"""Whether the long tests run too: `make cluster`."""


@dataclass(frozen=True)
class Straight:
    """A run of SHORT that nothing interrupts, as a job: what `train --json` printed, and its weights."""

    printed: dict[str, Any]
    weights: str


class Project:
    """A database in a folder, and what Slurm says of its jobs."""

    def __init__(self, folder: Path, recipe: Recipe = SHORT) -> None:
        self.db, self.recipe = folder / "experiments.db", recipe
        self.store = Store.open(self.db)
        self.watch = Watch(self.store, Slurm(), settle=3.0)

    def submit(self, name: str, *options: str, recipe: Recipe | None = None, **place: int) -> int:
        """Queue a run and submit it in this process; its id."""
        where = Place("slurm", PlaceEngine.SLURM).with_more(options=options, **place)
        columns = control.columns_of(where)
        run = launch.queue(self.store, recipe or self.recipe, name, **columns)
        submit(self.store, [run])
        return run.id

    def look(self, run_id: int) -> Run:
        """The run, after Slurm was asked and its journal was read."""
        self.store.journals.ingest(run_id)
        self.watch.look()
        return self.store.run(run_id)

    def until(self, run_id: int, true: Callable[[Run], bool], described: str, seconds: float = 600.0) -> Run:
        """The run, once it is so. The limit only ends a test that will never pass."""
        until = time.monotonic() + seconds
        while not true(run := self.look(run_id)):
            told = f"not {described}: {run.status} {run.phase} {run.engine_state} {run.error}"
            assert run.status in ACTIVE and time.monotonic() < until, told
            time.sleep(0.2)
        return run

    def until_ended(self, run_id: int, seconds: float = 600.0) -> Run:
        """The run, once it has ended."""
        until = time.monotonic() + seconds
        while (run := self.look(run_id)).status in ACTIVE:
            assert time.monotonic() < until, (
                f"{run.status} {run.phase} {run.engine_state} {run.engine_reason}"
            )
            time.sleep(0.2)
        return run


def weights(run: Run) -> str:
    """The weights of a run's last checkpoint, as a fingerprint."""
    return fingerprint(run.checkpoint or "")


def fingerprint(checkpoint: str) -> str:
    """The fingerprint of a checkpoint's weights."""
    return hashlib.sha256((Path(checkpoint) / "model.safetensors").read_bytes()).hexdigest()
