"""`work`: a queued run trained in the foreground by this command, alone or as one of several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.worker.conftest import endless, recipe, small_model, store, text_file, wait_for  # noqa: F401
from workbench.cli.output import run_as_json
from workbench.engines import control
from workbench.engines.configuration import place
from workbench.engines.place import processes_from
from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.status import PlaceEngine, Status
from workbench.store import Run, Store
from workbench.worker import launch, liveness


def queued(store: Store, recipe: Recipe) -> Run:  # noqa: F811
    run = control.start(store, recipe, place("work"), name="for-work")
    assert (run.status, run.place_engine, run.worker_pid) == (Status.QUEUED, PlaceEngine.WORK, None)
    return run


def start(store: Store, run: Run, *launcher: str) -> subprocess.Popen[str]:  # noqa: F811
    url = store.url
    command = [sys.executable, *launcher, "-m", "workbench", "work", str(run.id), "--db", url]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def test_ended_by_its_engine_it_is_queued_again_and_goes_on_alone(store: Store, endless: Recipe) -> None:  # noqa: F811
    run = queued(store, endless)
    two = start(store, run, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    run = wait_for(store, run.id, lambda now: (now.step or 0) > 6)
    assert run.engine["processes"] == 2 and run.worker_pid is not None
    os.kill(run.worker_pid, signal.SIGTERM)
    two.communicate(timeout=300)
    again = store.run(run.id)
    assert again.status == Status.QUEUED and again.checkpoint is not None

    alone = start(store, run)
    wait_for(store, run.id, lambda now: now.segment == 1 and (now.step or 0) > (again.step or 0))
    launch.stop(store, run.id)
    _, said = alone.communicate(timeout=300)
    assert alone.returncode == 0, said
    stopped = store.run(run.id)
    assert stopped.status == Status.STOPPED and stopped.engine["processes"] == 1
    assert "phase: training" in said
    assert "phase: training" in (Path(stopped.folder) / liveness.LOG).read_text(encoding="utf-8")


def test_a_run_that_is_not_queued_is_refused(store: Store, recipe: Recipe) -> None:  # noqa: F811
    run = queued(store, recipe)
    assert launch.stop(store, run.id).status == Status.STOPPED
    refused = start(store, run)
    _, said = refused.communicate(timeout=120)
    assert refused.returncode == 2
    assert "is stopped, not queued" in said and f"resume {run.id} --on work" in said
    assert control.resume(store, run.id).status == Status.QUEUED
    assert time.time() - (store.run(run.id).heartbeat_at or 0) < 600


def test_processes_are_of_the_run_and_not_of_its_recipe(store: Store, recipe: Recipe) -> None:  # noqa: F811
    run = control.start(store, recipe, place("work"), processes=2)
    shown = run_as_json(store.run(run.id))
    assert (shown["processes"], shown["place"], shown["job"]) == (2, "work", None)
    assert "processes" not in shown["recipe"] and "work" in shown["waiting_for"]
    launch.stop(store, run.id)
    assert control.resume(store, run.id, processes=1).processes == 1
    with pytest.raises(UsageError, match=r"auto, or a number from 1 to 4096; got '0'"):
        processes_from("0")
    assert [processes_from(text) for text in (None, "auto", "3")] == [None, 0, 3]
