"""The store is lost at any moment: the folders of its runs hold all of it."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from workbench.imports import own_run
from workbench.imports.own_run import import_own
from workbench.processes import process_exists
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store
from workbench.worker import launch

from .conftest import begin, thorough, wait_for_end, wait_until
from .test_kill import figures


def test_the_database_is_lost_and_its_worker_killed(
    store: Store, tiny: Recipe, from_nursery: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_run, "_LIVE_SECONDS", 0.0)
    draw = random.Random(0)
    whole = wait_for_end(store, begin(store, tiny, "whole"))
    expected = figures(store, whole.id)
    for number in range(thorough(full=50, short=2)):
        place = tmp_path / f"lost{number}"
        lost = Store.open(place / "experiments.db")
        run_id = begin(lost, tiny)
        end = time.monotonic() + draw.uniform(0.5, 4.0)
        while time.monotonic() < end and lost.run(run_id).status != Status.FINISHED:
            time.sleep(0.01)
        for file in place.glob("experiments.db*"):
            file.unlink()
        pid, folder = lost.run(run_id).worker_pid, Path(lost.run(run_id).folder)
        if pid is not None and process_exists(pid):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: not process_exists(pid), "the end of the worker")  # type: ignore[misc]
        stored = figures(lost, run_id)
        lost.close()
        again = Store.open(place / "experiments.db")
        run = import_own(again, folder)
        assert run.id == run_id
        # what was in the lost store is in the new one
        assert stored.items() <= figures(again, run_id).items()
        if run.status != Status.FINISHED:
            launch.resume(again, run_id)
            run = wait_for_end(again, run_id)
        assert run.status == Status.FINISHED, run.error
        assert figures(again, run_id) == expected
        again.close()
