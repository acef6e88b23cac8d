"""Real workers on a real database: to the end, stopped, killed, resumed, failed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.processes import process_exists
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker import launch, liveness

from .conftest import values, wait_for, wait_for_end


def deep_in_training(run: Run) -> bool:
    """It has a checkpoint, and is past it."""
    return run.checkpoint is not None and (run.step or 0) > int(run.checkpoint[-8:])


def start(store: Store, recipe: Recipe, name: str | None = None) -> int:
    run = launch.start(store, recipe, name, command="mlm-workbench train")
    assert run.worker_pid is not None
    return run.id


def log_of(run: Run) -> str:
    return (Path(run.folder) / liveness.LOG).read_text(encoding="utf-8")


def test_a_run_to_its_end(
    store: Store, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN_OF_MINE", "hf_do_not_tell_anyone")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random.py").write_text("raise SystemExit('a file of the user was imported')")
    run = wait_for_end(store, start(store, recipe, "[red]full"))
    assert run.status == Status.FINISHED, run.error
    assert (run.phase, run.error, run.segment) == (None, None, 0)
    assert run.started_at and run.ended_at and run.heartbeat_at
    assert run.created_at <= run.started_at <= run.ended_at

    assert run.step == run.total_steps == run.engine["total_steps"]
    assert run.epoch == pytest.approx(2.0)
    losses = values(store, run.id, "train/loss")
    assert [step for step, _ in losses] == list(range(1, run.total_steps + 1))
    tested = values(store, run.id, "eval/perplexity")
    assert tested[0] == (0, run.baseline_perplexity) and tested[-1] == (run.step, run.eval_perplexity)
    assert run.best_eval_perplexity == min(value for _, value in tested[1:])
    assert run.baseline_perplexity is not None and run.eval_perplexity is not None
    assert run.eval_perplexity < run.baseline_perplexity / 2
    assert run.train_perplexity == values(store, run.id, "train/perplexity")[-1][1]
    assert run.tokens_per_second and run.tokens_per_second > 0
    assert run.data["train_documents"] == 240 and run.data["test_documents"] == 60

    saved = store.checkpoints(run.id)
    assert saved[-1].path == run.checkpoint and (Path(saved[-1].path) / "model.safetensors").is_file()
    assert sum(one.best for one in saved) == 1

    assert run.environment["command"] == "mlm-workbench train"
    assert run.environment["packages"]["torch"] and run.environment["git"] is None
    assert run.environment["working_folder"] == str(tmp_path)
    folder, log = Path(run.folder), Path(run.folder) / liveness.LOG
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log_of(run)
    assert "phase: training" in text and "eval/perplexity" in text
    assert "\r" not in text and "it/s" not in text and "%|" not in text
    # by another process: to open and close a database's files beside SQLite would drop its locks
    found = subprocess.run(["grep", "-rl", "hf_do_not_tell_anyone", str(tmp_path)], capture_output=True)
    assert (found.returncode, found.stdout) == (1, b"")

    # its model is there for another run, whichever is the latest by then
    further = wait_for_end(store, start(store, recipe.with_changes(model="run:latest", max_steps=2), "on"))
    assert further.status == Status.FINISHED, further.error
    assert further.recipe["model"] == f"run:{run.id}"
    assert further.environment["base_model"] == run.checkpoint
    assert further.baseline_perplexity == pytest.approx(run.eval_perplexity, rel=0.05)


def test_killed_and_resumed_it_comes_to_the_same_numbers(store: Store, recipe: Recipe) -> None:
    # an epoch is long enough here to kill it in the middle of one
    recipe = recipe.with_changes(batch_size=4, checkpoint_every=15)
    whole = wait_for_end(store, start(store, recipe, "whole"))
    assert whole.status == Status.FINISHED

    run_id = start(store, recipe, "killed")
    run = wait_for(store, run_id, deep_in_training)
    assert run.worker_pid is not None
    os.kill(run.worker_pid, signal.SIGKILL)
    crashed = wait_for_end(store, run_id)
    assert crashed.status == Status.CRASHED
    assert crashed.error is not None and "vanished" in crashed.error and "checkpoint" in crashed.error
    assert not process_exists(run.worker_pid)

    launch.resume(store, run_id)
    resumed = wait_for_end(store, run_id)
    assert resumed.status == Status.FINISHED and resumed.segment == 1, resumed.error
    assert resumed.error is None and resumed.started_at == crashed.started_at
    for name in ("train/loss", "train/grad_norm", "train/perplexity", "eval/perplexity"):
        assert values(store, run_id, name) == values(store, whole.id, name), name
    assert resumed.eval_perplexity == whole.eval_perplexity
    assert resumed.best_eval_perplexity == whole.best_eval_perplexity
    weights = [Path(str(one.checkpoint)) / "model.safetensors" for one in (whole, resumed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert [one.step for one in store.checkpoints(run_id)] == [
        one.step for one in store.checkpoints(whole.id)
    ]


def by_store(store: Store, run: Run) -> None:
    store.request_stop(run.id)


def by_signal(store: Store, run: Run) -> None:
    assert run.worker_pid is not None
    os.kill(run.worker_pid, signal.SIGTERM)


@pytest.mark.parametrize("ask", [by_store, by_signal])
def test_a_stop_leaves_a_checkpoint_at_the_very_step(
    store: Store, endless: Recipe, ask: Callable[[Store, Run], None]
) -> None:
    run_id = start(store, endless.with_changes(checkpoint_every=0))
    ask(store, wait_for(store, run_id, lambda run: (run.step or 0) > 3))
    run = wait_for_end(store, run_id)
    assert run.status == Status.STOPPED and run.phase is None and run.error is None
    assert run.checkpoint is not None and int(run.checkpoint[-8:]) == run.step
    assert (Path(run.checkpoint) / "state" / "optimizer.safetensors").is_file()


def test_stopped_while_it_starts_it_has_nothing_to_lose(store: Store, endless: Recipe) -> None:
    run_id = start(store, endless)
    launch.stop(store, run_id)
    run = wait_for_end(store, run_id)
    assert run.status == Status.STOPPED and run.checkpoint is None and not run.step
    launch.resume(store, run_id)
    run = wait_for(store, run_id, lambda run: (run.step or 0) > 3)
    launch.stop(store, run_id)
    run = wait_for_end(store, run_id)
    assert run.status == Status.STOPPED and run.checkpoint is not None
    steps = [step for step, _ in values(store, run_id, "train/loss")]
    assert steps == list(range(1, len(steps) + 1))


def test_a_failure_is_kept_with_its_message(store: Store, recipe: Recipe, tmp_path: Path) -> None:
    missing = tmp_path / "not there.txt"
    run = wait_for_end(store, start(store, recipe.with_changes(dataset=str(missing))))
    assert run.status == Status.FAILED and run.phase == "loading data"
    assert run.error is not None and str(missing) in run.error and "Traceback" not in run.error
    assert "Traceback" in log_of(run)


def test_a_run_taken_for_dead_says_that_it_lives(store: Store, endless: Recipe) -> None:
    run_id = start(store, endless)
    wait_for(store, run_id, lambda run: (run.step or 0) > 0)
    store.update_run(run_id, status=Status.CRASHED, error="by mistake", ended_at=1.0)
    for _ in range(600):
        run = store.run(run_id)
        if run.status == Status.RUNNING:
            break
        time.sleep(0.1)
    assert (run.status, run.error, run.ended_at) == (Status.RUNNING, None, None)
    launch.stop(store, run_id)
    assert wait_for_end(store, run_id).status == Status.STOPPED


def test_a_worker_leaves_a_run_that_is_not_queued_alone(store: Store, recipe: Recipe) -> None:
    run = store.create_run(recipe)
    store.update_run(run.id, status=Status.STOPPED)
    command = [sys.executable, "-m", "workbench.worker", "--db", store.url, "--run", str(run.id)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "is stopped, not queued" in done.stderr
    assert store.run(run.id).status == Status.STOPPED
