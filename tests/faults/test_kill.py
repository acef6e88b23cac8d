"""Killed at any moment: the store is whole, nothing written is lost, and the numbers come out the same."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

from safetensors.numpy import load_file

from workbench.events import Phase
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.training import checkpoint
from workbench.worker import launch

from ..postgres import on_both
from .conftest import FULL, begin, is_over, thorough, wait_for_end

KILLS = {"sqlite": thorough(full=120, short=10), "postgresql": thorough(full=120, short=3)}
MEASURED = ("train/loss", "train/grad_norm", "train/learning_rate", "train/perplexity", "eval/perplexity")
Figures = dict[tuple[str, int], float]


def figures(store: Store, run_id: int) -> Figures:
    """Every value by name and step, none of which is there twice."""
    metrics = store.metrics(run_id, MEASURED)
    found = {(metric.name, metric.step): metric.value for metric in metrics}
    assert len(found) == len(metrics), "a value is there twice"
    return found


def kill_in(store: Store, run_id: int, phase: Phase, delay: float) -> Run:
    """Kill the worker a moment after it has entered a phase, or passed it; the run as it was before."""
    order = list(Phase)
    while True:
        run = store.run(run_id)
        if is_over(run):
            return run
        if run.phase is not None and order.index(Phase(run.phase)) >= order.index(phase):
            break
    time.sleep(delay)
    run = store.run(run_id)
    if not is_over(run):
        assert run.worker_pid is not None
        os.kill(run.worker_pid, signal.SIGKILL)
    return run


def check_all_is_whole(store: Store, run_id: int, expected: Figures) -> None:
    """The store, and the checkpoints in its list; what was measured so far is what it should be."""
    assert store.integrity_problems() == []
    found = figures(store, run_id)
    assert found.items() <= expected.items()
    for saved in store.checkpoints(run_id):
        folder = Path(saved.path)
        assert checkpoint.damage(folder) in ("", f"{folder.name} no longer has its optimizer state")
        assert load_file(folder / "model.safetensors")


@on_both
def test_killed_at_random_and_resumed(
    store: Store, tiny: Recipe, from_nursery: object, tmp_path: Path
) -> None:
    kills = KILLS[store.database.engine.dialect.name]
    seed = int(os.environ.get("MLM_WORKBENCH_FAULTS_SEED", time.time_ns() % 2**32))
    draw = random.Random(seed)
    print(f"seed {seed}: MLM_WORKBENCH_FAULTS_SEED brings the same kills again")
    whole = wait_for_end(store, begin(store, tiny, "whole"))
    assert whole.status == Status.FINISHED, whole.error
    expected = figures(store, whole.id)
    weights = Path(str(whole.checkpoint)) / "model.safetensors"

    killed: Counter[str] = Counter()
    phases = list(Phase)
    while killed.total() < kills or (FULL and len(killed) < len(phases) and killed.total() < 3 * kills):
        shutil.rmtree(tmp_path / "cache")  # the text is tokenized anew
        run_id = begin(store, tiny)
        while True:
            phase = phases[killed.total() % len(phases)]
            run = kill_in(store, run_id, phase, draw.choice([0.0, 0.002, 0.02, 0.1]) * draw.random())
            before = figures(store, run_id)
            run = wait_for_end(store, run_id)
            if run.status == Status.FINISHED:
                break
            assert run.status == Status.CRASHED, run.error
            killed[str(run.phase)] += 1
            check_all_is_whole(store, run_id, expected)
            assert before.items() <= figures(store, run_id).items()
            if draw.random() < 0.3:
                shutil.rmtree(tmp_path / "cache", ignore_errors=True)
            launch.resume(store, run_id)
            if killed.total() >= kills:
                run = wait_for_end(store, run_id)
                break
        assert run.status == Status.FINISHED, run.error
        assert figures(store, run_id) == expected
        check_all_is_whole(store, run_id, expected)
        for name in ("eval_perplexity", "best_eval_perplexity", "baseline_perplexity", "train_perplexity"):
            assert getattr(run, name) == getattr(whole, name), name
        assert (run.step, run.epoch) == (whole.step, whole.epoch)
        assert (Path(str(run.checkpoint)) / "model.safetensors").read_bytes() == weights.read_bytes()
        saved = [(one.step, one.best, one.eval_perplexity) for one in store.checkpoints(run_id)]
        assert saved == [(one.step, one.best, one.eval_perplexity) for one in store.checkpoints(whole.id)]
        leftover = list(Path(run.folder).rglob(f"{checkpoint.TEMPORARY}*"))
        assert leftover == []
    print(dict(killed))
    assert not FULL or killed.keys() == set(map(str, phases))
