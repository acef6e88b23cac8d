"""Queues on a real store with real schedulers, and one sweep that was really trained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench.processes import identity_of, is_same_process
from workbench.recipe import PRESETS, Recipe
from workbench.status import ACTIVE, Status
from workbench.store import Run, Store, Sweep
from workbench.sweeps.plan import Plan
from workbench.worker import launch, liveness
from workbench.worker.scheduler_liveness import is_held

from ..worker.conftest import small_model, store, text_file

__all__ = ["small_model", "store", "text_file"]  # fixtures
STARTER = PRESETS["starter"]


def until(true: Callable[[], bool], store: Store | None = None, seconds: float = 240) -> None:
    """Wait for what other processes do; with a store as someone does who looks at it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "It did not come."
        if store is not None:
            liveness.refresh(store)
        time.sleep(0.05)


def of_a_newer_version(store: Store, sweep: Sweep) -> None:
    """The runs of a sweep fail as soon as they have begun, by a field that is not known: a real worker
    starts and ends within half a second, before it has loaded anything."""
    for run in store.sweeps.runs(sweep.id):
        store.update_run(run.id, recipe={**run.recipe, "from_a_newer_version": 1})


def waiting_sweep(
    store: Store, values: tuple[int, ...] = (64, 128, 256, 512), *, fails: bool = True
) -> Sweep:
    """A paused sweep of chunk sizes, whose runs will fail at once. Nobody keeps the queue."""
    from workbench.store.sweeps import NewRun

    plan = Plan(STARTER, {"chunk_size": values})
    runs = [NewRun(recipe, f"chunk{recipe.chunk_size}") for recipe in plan.recipes()]
    sweep = store.sweeps.add(None, plan.to_json(), lambda _: runs, launch.new_folder)
    store.sweeps.pause(sweep.id, True)
    if fails:
        of_a_newer_version(store, sweep)
    return store.sweeps.sweep(sweep.id)


@contextmanager
def kept_by_another(store: Store) -> Iterator[None]:
    """The queue is kept by a process that does nothing, and is killed at the end."""
    process = subprocess.Popen(["sleep", "600"])
    own = identity_of(process.pid)
    named = {
        "pid": own.worker_pid,
        "started_at": own.worker_started_at,
        "host": own.host,
        "boot_id": own.boot_id,
    }
    assert store.lease.take(store.lease.holder(), **named) and is_held(store.lease.holder(), store.url)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def statuses(store: Store, sweep_id: int = 1) -> list[str]:
    return [str(run.status) for run in store.sweeps.runs(sweep_id)]


@dataclass(frozen=True)
class TrainedSweep:
    """2 x 2 recipes with 2 seeds. In the middle of the third run its worker and the scheduler were killed."""

    database: Path
    store: Store
    sweep: Sweep
    killed: Run
    """The run whose worker was killed, as it was when it was found to have crashed."""
    first_keeper: int


@pytest.fixture(scope="session")
def trained_sweep(
    tmp_path_factory: pytest.TempPathFactory, text_file: Path, small_model: Path, cache_of_the_tests: Path
) -> Iterator[TrainedSweep]:
    folder = tmp_path_factory.mktemp("sweep")
    store = Store.open(folder / "experiments.db")
    recipe = STARTER.with_changes(
        model=str(small_model),
        dataset=str(text_file),
        chunk_size=32,
        epochs=6,
        batch_size=16,
        checkpoint_every=4,
        device="cpu",
    )
    config = folder / "recipe.toml"
    config.write_text(recipe.to_toml(), encoding="utf-8")
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    grid = ["--chunk-size", "32,64", "--mask-prob", "0.15,0.3", "--seeds", "2"]
    command = [sys.executable, "-P", "-m", "workbench", "sweep", "--db", store.url, "--config", str(config)]
    started = subprocess.run([*command, *grid, "--name", "grid", "--detach"], capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    sweep = store.sweeps.find("grid")
    until(lambda: _third_is_in_the_middle(store, sweep), store)
    scheduler = store.lease.holder()
    third = store.sweeps.runs(sweep.id)[2]
    assert scheduler is not None and scheduler.pid is not None and third.worker_pid is not None
    store.sweeps.pause(sweep.id, True)  # else it would be resumed before it is looked at
    os.kill(scheduler.pid, signal.SIGKILL)
    os.kill(third.worker_pid, signal.SIGKILL)
    until(lambda: store.run(third.id).status == Status.CRASHED, store)
    killed = store.run(third.id)
    store.sweeps.pause(sweep.id, False)
    until(lambda: _all_over(store, sweep), store)
    until(lambda: store.lease.holder() is None)
    yield TrainedSweep(folder / "experiments.db", store, sweep, killed, scheduler.pid)
    if before is None:
        del os.environ["OMP_NUM_THREADS"]
    else:
        os.environ["OMP_NUM_THREADS"] = before
    store.close()


def _third_is_in_the_middle(store: Store, sweep: Sweep) -> bool:
    runs = store.sweeps.runs(sweep.id)
    third = runs[2]
    assert third.status in ACTIVE, "it was too quick to be killed"
    return third.phase == "training" and bool(store.checkpoints(third.id)) and _lives(third)


def _lives(run: Run) -> bool:
    return run.worker_pid is not None and is_same_process(run.worker_pid, run.worker_started_at or 0.0)


def _all_over(store: Store, sweep: Sweep) -> bool:
    over = all(run.status not in ACTIVE for run in store.sweeps.runs(sweep.id))
    return over and not store.sweeps.work_left()


def tiny(text_file: Path, small_model: Path) -> Recipe:
    """Some 200 chunks of 32 and many epochs, each with a test."""
    return STARTER.with_changes(
        model=str(small_model),
        dataset=str(text_file),
        chunk_size=32,
        epochs=400,
        batch_size=64,
        device="cpu",
        precision="fp32",
    )
