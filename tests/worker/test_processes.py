"""Runs of several processes, by the real worker on a CPU: the same numbers, stopped, killed, resumed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workbench.errors import UsageError
from workbench.processes import process_exists
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker import launch, liveness
from workbench.worker.leash import LAUNCHER
from workbench.worker.rank import own_rank

from .conftest import values, wait_for, wait_for_end

NAMES = ("train/loss", "train/grad_norm", "train/perplexity", "eval/perplexity")


@pytest.fixture(autouse=True)
def nobody_is_left(store: Store) -> Iterator[None]:
    """End what a failed test leaves behind."""
    yield
    for run in store.runs():
        for pid in pids_of(run) if run.environment.get(LAUNCHER) else ():
            os.kill(pid, signal.SIGKILL)


def pids_of(run: Run) -> list[int]:
    """The processes of a run: the launcher, then the ranks that live."""
    launcher = int(run.environment[LAUNCHER][0])
    ranks = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if str(run.id) in (process.info["cmdline"] or ())
        and "workbench.worker" in process.info["cmdline"]
        and run_store(process.info["cmdline"]) == Path(run.folder).parent.parent
    ]
    return [pid for pid in (launcher, *ranks) if process_exists(pid)]


def run_store(arguments: list[str]) -> Path:
    place = arguments[arguments.index("--db") + 1] if "--db" in arguments else ""
    return Path(place.removeprefix("sqlite:///")).parent


def follower_of(run: Run) -> int:
    """The process of rank 1."""
    _, *ranks = pids_of(run)
    (other,) = (pid for pid in ranks if pid != run.worker_pid)
    return other


def log_of(run: Run) -> str:
    return (Path(run.folder) / liveness.LOG).read_text(encoding="utf-8")


def all_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not any(process_exists(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def in_training(run: Run) -> bool:
    return run.checkpoint is not None and (run.step or 0) > int(run.checkpoint[-8:])


def test_two_processes_are_one_run_and_go_on_as_one(store: Store, recipe: Recipe) -> None:
    alone = wait_for_end(store, launch.start(store, recipe, "alone").id)
    assert alone.status == Status.FINISHED and alone.engine["processes"] == 1, alone.error

    run = launch.start(store, recipe, "two", processes=2)
    run = wait_for(store, run.id, in_training)
    assert (run.processes, run.engine["processes"], len(run.engine["devices"])) == (2, 2, 2)
    pids = pids_of(run)
    assert len(pids) == 3 and run.worker_pid in pids[1:]
    launch.stop(store, run.id)
    stopped = wait_for_end(store, run.id)
    assert stopped.status == Status.STOPPED, stopped.error
    assert stopped.checkpoint is not None and all_gone(pids)
    assert "Traceback" not in log_of(stopped)

    launch.resume(store, run.id, processes=1)
    resumed = wait_for_end(store, run.id)
    assert (resumed.status, resumed.engine["processes"]) == (Status.FINISHED, 1), resumed.error
    for name in NAMES:
        expected, found = dict(values(store, alone.id, name)), dict(values(store, run.id, name))
        assert found.keys() == expected.keys(), name
        assert list(found.values()) == pytest.approx(list(expected.values()), rel=1e-3), name
    assert resumed.yardstick_perplexity == pytest.approx(alone.yardstick_perplexity, rel=1e-3)


def test_a_process_that_is_killed_ends_the_run_which_says_so_and_resumes(
    store: Store, endless: Recipe
) -> None:
    run = launch.start(store, endless, processes=2)
    run = wait_for(store, run.id, in_training)
    pids, killed = pids_of(run), follower_of(run)
    os.kill(killed, signal.SIGKILL)
    crashed = wait_for_end(store, run.id)
    assert crashed.status == Status.CRASHED
    assert crashed.error is not None
    assert crashed.error.startswith(f"Process 1 of 2 (pid {killed}) died: killed by signal 9")
    assert crashed.error_hint is not None and f"mlm-workbench resume {run.id}" in crashed.error_hint
    assert all_gone(pids)

    launch.resume(store, run.id)
    again = wait_for(store, run.id, lambda now: now.segment == 1 and (now.step or 0) > (crashed.step or 0))
    assert again.engine["processes"] == 2
    store.request_stop(run.id)
    assert wait_for_end(store, run.id).status == Status.STOPPED


def test_what_a_user_did_wrong_is_told_once(store: Store, recipe: Recipe, tmp_path: Path) -> None:
    run = launch.start(store, recipe.with_changes(test_size=100_000), processes=2)
    failed = wait_for_end(store, run.id)
    assert failed.status == Status.FAILED and failed.error is not None and "test_size" in failed.error
    text = log_of(failed)
    assert text.count(failed.error) == 1 or text.count("Traceback") == 1, text
    assert "process 1:" not in text


def test_more_processes_than_there_is_work_for_are_refused(
    store: Store, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="A step of 16 chunks cannot be shared by 17"):
        launch.start(store, recipe, processes=17)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with pytest.raises(UsageError, match="3 processes need 3 GPUs; this run may use 2"):
        launch.start(store, recipe.with_changes(device="auto"), processes=3)
    with pytest.raises(UsageError, match="cuda:1 is one device"):
        launch.start(store, recipe.with_changes(device="cuda:1"), processes=2)
    assert store.runs() == []


def test_a_task_of_srun_is_a_rank_and_a_batch_script_is_not() -> None:
    task = {"SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_LOCALID": "1", "SLURM_NTASKS": "4"}
    assert own_rank(task) == 3
    assert (task["RANK"], task["WORLD_SIZE"], task["LOCAL_RANK"]) == ("3", "4", "1")
    script = {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "4"}
    assert own_rank(script) == 0 and "RANK" not in script
    assert own_rank({"RANK": "2", "WORLD_SIZE": "4", "SLURM_PROCID": "0"}) == 2
