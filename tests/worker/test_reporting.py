"""A run's metrics in trackers: a real TensorBoard, and trackers that are missing or fail."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from workbench.errors import UsageError
from workbench.events import EngineReady, Event, Metrics
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker import launch, reporting
from workbench.worker.liveness import LOG
from workbench.worker.reporting import REPORT_TO, Reporting, check_trackers

from .conftest import values, wait_for, wait_for_end

ENGINE = EngineReady("m", "a", 1, "cpu", "cpu", "fp32", "full", "", False, 1, 1, 1, 1, 1)


def told_to_tensorboard(run: Run) -> dict[str, list[tuple[int, float]]]:
    """The curves in a run's TensorBoard log, read by TensorBoard's own reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(Path(run.folder) / "tensorboard")).Reload()
    return {
        name: [(scalar.step, scalar.value) for scalar in read.Scalars(name)]
        for name in read.Tags()["scalars"]
    }


def test_tensorboard_gets_every_curve(store: Store, recipe: Recipe) -> None:
    pytest.importorskip("tensorboard")
    started = launch.start(store, recipe, report_to=["tensorboard"])
    run = wait_for_end(store, started.id)
    assert run.status == Status.FINISHED
    assert run.environment[REPORT_TO] == ["tensorboard"] and REPORT_TO not in run.recipe
    curves = told_to_tensorboard(run)
    for name in ("train/loss", "eval/perplexity", "train/learning_rate"):
        known = values(store, started.id, name)
        assert [step for step, _ in curves[name]] == [step for step, _ in known]
        assert [value for _, value in curves[name]] == pytest.approx([value for _, value in known], rel=1e-5)
    assert "WARNING" not in (Path(run.folder) / LOG).read_text()


def test_a_tracker_that_cannot_start_fails_no_training(store: Store, recipe: Recipe, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = store.create_run(recipe)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "tensorboard").write_text("in the way")
    store.update_run(
        run.id,
        folder=str(tmp_path / "folder"),
        environment={REPORT_TO: ["tensorboard", "none such"]},
    )
    launch._spawn(store, store.run(run.id), [])
    ended = wait_for_end(store, run.id)
    assert ended.status == Status.FINISHED
    log = (tmp_path / "folder" / LOG).read_text()
    assert "Reporting to tensorboard has stopped" in log and "Reporting to none such has stopped" in log


class _Broken:
    """Takes one value, and then no more."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def log(self, values: dict[str, float], step: int) -> None:
        if self.taken:
            raise ConnectionError("the server is gone")
        self.taken.append(step)

    def finish(self) -> None:
        raise AssertionError("it was left out")


def test_a_tracker_that_fails_on_the_way_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, heard = _Broken(), list[Event]()
    monkeypatch.setattr(reporting, "_start_tracker", lambda name, run: broken)
    run = Run(name="a", created_at=0.0, environment={REPORT_TO: ["mlflow"]})
    with Reporting(heard.append, run) as report:
        report(ENGINE)
        for step in range(3):
            report(Metrics(step, 0.0, {"train/loss": 1.0}))
    assert broken.taken == [0] and len(heard) == 4
    assert [record.message for record in caplog.records if "has stopped" in record.message] == [
        "Reporting to mlflow has stopped: the server is gone"
    ]


def test_what_is_missing_is_said_before_the_start(
    store: Store, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install mlflow"):
        launch.start(store, recipe, report_to=["mlflow"])
    with pytest.raises(UsageError, match=r"no tracker 'paper'.*tensorboard, mlflow, wandb, trackio"):
        check_trackers(["paper"])
    assert store.runs() == []


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trackers keep what they are told in `tmp_path`."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))


@pytest.mark.parametrize("name", ["mlflow", "wandb", "trackio"])
def test_other_trackers_take_a_run_offline(name: str, store: Store, recipe: Recipe, offline: None) -> None:
    pytest.importorskip(name)
    started = launch.start(store, recipe.with_changes(epochs=1), report_to=[name])
    run = wait_for_end(store, started.id)
    assert run.status == Status.FINISHED
    log = (Path(run.folder) / LOG).read_text()
    assert f"reports to {name}" in log and "no longer" not in log


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb", "trackio"])
def test_a_resumed_run_is_one_run_there(
    name: str, store: Store, endless: Recipe, tmp_path: Path, offline: None
) -> None:
    pytest.importorskip(name)
    started = launch.start(store, endless, report_to=[name])
    for resumed in (False, True):
        if resumed:
            launch.resume(store, started.id)
        before = store.run(started.id).step or 0
        wait_for(store, started.id, lambda run: (run.step or 0) > before + 20)  # noqa: B023
        launch.stop(store, started.id)
        run = wait_for_end(store, started.id)
        assert run.status == Status.STOPPED
    assert "no longer" not in (Path(run.folder) / LOG).read_text()
    assert _runs_in(name, run, tmp_path) == 1


def _runs_in(name: str, run: Run, folder: Path) -> int:
    """How many runs a tracker has."""
    if name == "tensorboard":
        steps = [step for step, _ in told_to_tensorboard(run)["train/loss"]]
        return len(list((Path(run.folder) / "tensorboard").rglob("events*"))) and int(max(steps) > 40)
    if name == "mlflow":
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        return len(mlflow.search_runs(search_all_experiments=True))
    if name == "wandb":
        kept = (Path(run.folder) / "wandb").glob("offline-run-*")
        return len({path.name.rpartition("-")[2] for path in kept})
    (database,) = (folder / "trackio").glob("*.db")
    with closing(sqlite3.connect(database)) as connection:
        (count,) = connection.execute("SELECT count(DISTINCT run_name) FROM metrics").fetchone()
    return int(count)


def test_trackers_are_known_before_their_libraries_are_loaded() -> None:
    script = "import sys, workbench.worker.reporting; print({'torch', 'accelerate'} & sys.modules.keys())"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"
