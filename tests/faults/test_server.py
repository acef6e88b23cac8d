"""A store on a PostgreSQL server: the server goes away and comes back, and two machines work on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store
from workbench.worker import liveness

from ..postgres import Server
from .conftest import begin, thorough, wait_for, wait_for_end, wait_until

OUTAGE = 2.0
"""Seconds: more than a heartbeat, and more than a recorder waits before it tries again."""


@pytest.fixture
def url(restarted: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLM_WORKBENCH_RUNS", str(tmp_path / "runs"))
    return restarted.new_store()


def steps(store: Store, run_id: int) -> list[int]:
    return [metric.step for metric in store.metrics(run_id, ["train/loss"])]


@pytest.mark.usefixtures("from_nursery")
def test_a_server_that_crashes_and_comes_back_costs_a_training_nothing(
    restarted: Server, url: str, tiny: Recipe
) -> None:
    store = Store.open(url)
    recipe = tiny.with_changes(epochs=10_000, max_steps=200, eval_every=0, checkpoint_every=100)
    run_id = begin(store, recipe)
    for _ in range(thorough(full=10, short=1)):
        before = store.run(run_id).step or 0
        wait_for(store, run_id, lambda run, before=before: (run.step or 0) > before + 5)  # type: ignore[misc]
        restarted.stop(signal.SIGQUIT)
        time.sleep(OUTAGE)
        restarted.start()
    ended = wait_for_end(store, run_id)
    assert ended.status == Status.FINISHED and ended.segment == 0, ended.error
    assert steps(store, run_id) == list(range(1, 201))
    assert ended.yardstick_perplexity is not None and store.checkpoints(run_id)[-1].step == 200
    store.close()


@pytest.mark.usefixtures("from_nursery")
def test_a_server_that_is_away_when_a_training_ends(restarted: Server, url: str, tiny: Recipe) -> None:
    store = Store.open(url)
    run_id = begin(store, tiny)
    wait_for(store, run_id, lambda run: (run.step or 0) > 0)
    restarted.stop(signal.SIGQUIT)
    runs = Path(os.environ["MLM_WORKBENCH_RUNS"])
    wait_until(lambda: len(list(runs.glob("*/checkpoints/step-*"))) >= 2, "a checkpoint")
    time.sleep(OUTAGE)
    restarted.start()
    ended = wait_for_end(store, run_id)
    assert ended.status == Status.FINISHED, ended.error
    assert steps(store, run_id) == list(range(1, (ended.total_steps or 0) + 1))
    store.close()


ON_ANOTHER_MACHINE = """
import platform, sys
platform.node = lambda: "another-machine"
from workbench.store import Store
from workbench.worker import liveness
store = Store.open()
seen = {run.id: (run.name, str(run.status)) for run in liveness.refresh(store)}
print(seen, flush=True)
version = store.data_version()
for line in sys.stdin:
    if store.data_version() != version:
        version = store.data_version()
        run = store.run(int(line))
        print(run.status, run.step, flush=True)
    else:
        print("nothing new", flush=True)
"""


@pytest.mark.usefixtures("from_nursery")
def test_two_machines_see_each_others_runs_live(url: str, tiny: Recipe) -> None:
    """The other machine has another name, sees no process of this one, and stops a run through the store."""
    store = Store.open(url)
    recipe = tiny.with_changes(epochs=10_000, max_steps=20_000, eval_every=0, checkpoint_every=100)
    run_id = begin(store, recipe)
    wait_for(store, run_id, lambda run: (run.step or 0) > 0)
    environment = {**os.environ, "MLM_WORKBENCH_DB": url}
    with subprocess.Popen(
        [sys.executable, "-c", ON_ANOTHER_MACHINE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        assert "'running'" in other.stdout.readline()
        seen: list[int] = []
        deadline = time.monotonic() + 60
        while len(seen) < 3 and time.monotonic() < deadline:
            other.stdin.write(f"{run_id}\n")
            other.stdin.flush()
            said = other.stdout.readline().split()
            if said[0] == "running":
                seen.append(int(said[1]))
            time.sleep(0.2)
        other.stdin.close()
    assert len(seen) == 3 and seen == sorted(seen) and seen[0] < seen[-1]
    assert liveness.refresh(store)[0].status == Status.RUNNING, "the other machine marked nothing"
    stop = "import platform; platform.node = lambda: 'x'\nfrom workbench.store import Store\n"
    stop += f"from workbench.worker import launch; launch.stop(Store.open(), {run_id})"
    subprocess.run([sys.executable, "-c", stop], check=True, env=environment)
    ended = wait_for_end(store, run_id)
    assert ended.status == Status.STOPPED and steps(store, run_id) == list(range(1, (ended.step or 0) + 1))
    store.close()
