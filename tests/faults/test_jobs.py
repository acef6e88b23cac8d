"""Workers that cannot open the store, as in a job of a cluster: their runs come out as those of others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.journal.lines import Kind
from workbench.paths import CACHE_VARIABLE
from workbench.processes import process_exists
from workbench.recipe import Recipe
from workbench.status import PlaceEngine, Status
from workbench.store import Run, Store, Yardstick
from workbench.worker import follow, launch, liveness
from workbench.worker.channel import Channel
from workbench.worker.job import AGAIN, Pulse
from workbench.worker.job_file import STOP, write_job
from workbench.worker.stop_flag import StopFlag

from .conftest import begin, wait_for_end, wait_until
from .nursery import Nursery

Job = Callable[[Run], int]


@pytest.fixture
def job(nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """Starts a worker on a run's folder alone; its pid."""
    monkeypatch.setattr(follow, "FOLLOW_SECONDS", 0.0)
    started: list[int] = []

    def start(run: Run) -> int:
        (Path(run.folder) / "exit-code").unlink(missing_ok=True)
        log = str(Path(run.folder) / liveness.LOG)
        cache = {CACHE_VARIABLE: str(tmp_path / "cache")}
        started.append(nursery.start("work_in_job", run.folder, log, **cache))
        return started[-1]

    yield start
    for pid in started:
        if process_exists(pid):
            os.kill(pid, signal.SIGKILL)


def queued(store: Store, recipe: Recipe) -> Run:
    """A run that waits for a job; its folder holds all that a worker needs."""
    run = launch.queue(store, recipe, place_engine=PlaceEngine.SLURM, place="a100", job="7")
    write_job(store, run)
    store.update_run(run.id, worker_pid=None, worker_started_at=None)
    return store.run(run.id)


def seen(store: Store, run: Run) -> Run:
    """The run as a screen sees it."""
    liveness.refresh(store)
    return store.run(run.id)


def ended(store: Store, run: Run, pid: int) -> tuple[int | None, Run]:
    """The worker's exit code (None: it was killed), and the run as a screen sees it then."""
    wait_until(lambda: not process_exists(pid), "the worker's end", 120)
    seen(store, run)
    store.journals.ingest(run.id)
    code = Path(run.folder) / "exit-code"
    log = (Path(run.folder) / liveness.LOG).read_text()
    assert store.journals.trouble(run.id) is None, log
    return int(code.read_text()) if code.exists() else None, store.run(run.id)


def rows(store: Store, run: Run) -> dict[str, Any]:
    """All that the store has of a run, without ids, times and processes."""
    metrics = {
        (one.name, one.step, one.epoch, one.value, one.segment)
        for one in store.metrics(run.id)
        if not one.name.startswith(("time/", "speed/", "system/"))
    }
    checkpoints = [
        (one.step, one.epoch, Path(one.path).name, one.eval_perplexity, one.best)
        for one in store.checkpoints(run.id)
    ]
    of_run = store.yardsticks.of_run(run.id)
    without = {"id", "run_id", "created_at", "model"}
    yardsticks = [Yardstick.model_dump(one, exclude=without) for one in of_run]
    names = ("status", "phase", "segment", "epoch", "step", "total_steps", "baseline_perplexity")
    names += ("train_perplexity", "eval_perplexity", "best_eval_perplexity", "yardstick_perplexity")
    columns = {name: getattr(run, name) for name in (*names, "error", "error_hint")}
    columns["engine"], columns["data"] = dict(run.engine), dict(run.data)
    for name in ("seconds", "from_cache"):
        columns["data"].pop(name)
    environment = set(run.environment) - {"git", "oom_kills"}
    return {
        "metrics": metrics,
        "checkpoints": checkpoints,
        "newest": Path(str(run.checkpoint)).name,
        "yardsticks": yardsticks,
        "columns": columns,
        "environment": environment,
    }


def test_a_job_leaves_the_rows_that_a_run_of_this_machine_leaves(
    store: Store, tiny: Recipe, job: Job, from_nursery: object
) -> None:
    here = wait_for_end(store, begin(store, tiny, "here"))
    assert here.status == Status.FINISHED, here.error
    run = queued(store, tiny)
    code, there = ended(store, run, job(run))
    assert (code, there.status) == (0, Status.FINISHED), there.error
    assert rows(store, there) == rows(store, here)
    assert there.environment["host"] == here.environment["host"]
    assert there.started_at is not None and there.ended_at is not None
    assert Path(str(there.checkpoint)).parent.parent == Path(run.folder)
    assert store.yardsticks.of_base(tiny.model)
    # a job that Slurm starts once more finds its run finished
    code, again = ended(store, run, job(run))
    assert (code, again) == (0, there)


def test_a_job_that_is_told_to_end_goes_on_in_its_next_life(
    store: Store, tiny: Recipe, job: Job, from_nursery: object
) -> None:
    recipe = tiny.with_changes(epochs=12)
    whole = wait_for_end(store, begin(store, recipe, "whole"))
    run = queued(store, recipe)
    for step, how in ((6, signal.SIGTERM), (60, signal.SIGKILL), (120, signal.SIGTERM)):
        pid = job(run)
        wait_until(lambda step=step: (seen(store, run).step or 0) >= step, f"step {step}", 120)  # type: ignore[misc]
        assert seen(store, run).status == Status.RUNNING
        os.kill(pid, how)
        code, now = ended(store, run, pid)
        if how == signal.SIGTERM:
            assert (code, now.status, now.phase) == (AGAIN, Status.QUEUED, None)
            assert now.checkpoint is not None and now.ended_at is None
        else:
            assert (code, now.status) == (None, Status.RUNNING)
    code, now = ended(store, run, job(run))
    assert (code, now.status) == (0, Status.FINISHED), now.error
    assert now.segment == 3
    for name in ("train/loss", "eval/perplexity", "train/perplexity", "train/grad_norm"):
        measured = [[(one.step, one.value) for one in store.metrics(of.id, [name])] for of in (whole, now)]
        assert measured[0] == measured[1], name
    weights = [Path(str(of.checkpoint)) / "model.safetensors" for of in (whole, now)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert now.yardstick_perplexity == whole.yardstick_perplexity is not None


def test_a_user_stops_a_job_by_a_file(store: Store, tiny: Recipe, job: Job) -> None:
    run = queued(store, tiny.with_changes(epochs=1000))
    pid = job(run)
    wait_until(lambda: (seen(store, run).step or 0) > 3, "a step", 120)
    age = follow.age_of_news(seen(store, run))
    assert age is not None and age < 60
    (Path(run.folder) / STOP).touch()
    code, now = ended(store, run, pid)
    assert (code, now.status) == (0, Status.STOPPED) and now.checkpoint is not None


def test_a_worker_ends_whose_run_goes_on_in_another_job(store: Store, tiny: Recipe) -> None:
    run = queued(store, tiny)
    first, second, stop = Channel(store, run), Channel(store, run), StopFlag()
    first.open(0)
    first.note(Kind.METRICS, segment=0, rows=[[1, 0.1, {"train/loss": 3.0}]])
    first.save()
    with Pulse(first, stop) as pulse:
        second.open(1)
        wait_until(stop, "the wish to stop", 60)
        wait_until(lambda: pulse.lost, "the end", 60)
    second.note(Kind.BACK, step=-1, checkpoint=None, values={"segment": 1})
    second.note(Kind.METRICS, segment=1, rows=[[1, 0.1, {"train/loss": 2.0}]])
    second.save()
    first.note(Kind.METRICS, segment=0, rows=[[2, 0.1, {"train/loss": 1.0}]])
    first.note(Kind.ENDING, status="failed")
    first.save()
    store.journals.ingest(run.id)
    assert [(one.step, one.value) for one in store.metrics(run.id)] == [(1, 2.0)]
    assert store.run(run.id).status == Status.QUEUED


def test_a_failed_job_says_why(store: Store, tiny: Recipe, job: Job) -> None:
    run = queued(store, tiny.with_changes(dataset="/nowhere/text.txt"))
    code, now = ended(store, run, job(run))
    assert (code, now.status) == (1, Status.FAILED)
    assert "/nowhere/text.txt" in (now.error or "") and now.phase == "loading data"
