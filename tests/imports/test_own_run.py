"""`import` of a run's own folder: with the store lost, nothing is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import UsageError
from workbench.imports import own_run
from workbench.imports.own_run import import_own, own_folders
from workbench.journal.described import JOB
from workbench.journal.lines import file_of
from workbench.status import Status
from workbench.store import Checkpoint, Metric, Run, Store, Yardstick

from ..cli.conftest import Cli, cli  # noqa: F401
from ..conftest import StarterRun


@pytest.fixture(autouse=True)
def written_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_run, "_LIVE_SECONDS", 0.0)


def rows(store: Store, run: Run) -> dict[str, Any]:
    without = {"id", "run_id"}
    base = Path(run.folder)
    saved = store.checkpoints(run.id)
    checkpoints = [Checkpoint.model_dump(one, exclude={*without, "path"}) for one in saved]
    columns = Run.model_dump(
        run,
        exclude={"id", "folder", "checkpoint", "heartbeat_at", "worker_pid", "worker_started_at", "recipe"},
    )
    for name in ("progress_done", "progress_total", "progress_unit", "progress_at", "started_at", "ended_at"):
        del columns[name]  # progress is not kept, and the claim's own moment is a little later
    return {
        "columns": columns,
        "recipe": dict(run.recipe),
        "metrics": [Metric.model_dump(one, exclude=without) for one in store.metrics(run.id)],
        "checkpoints": checkpoints,
        "paths": [Path(one.path).relative_to(base).as_posix() for one in saved],
        "scores": [
            Yardstick.model_dump(one, exclude=without | {"created_at", "model"})
            for one in store.yardsticks.of_run(run.id)
        ],
    }


def copied(starter_run: StarterRun, place: Path) -> Path:
    folder = Path(starter_run.store.run(starter_run.id).folder)
    shutil.copytree(folder, place / folder.name)
    return place / folder.name


def test_a_lost_store_comes_back_whole(starter_run: StarterRun, tmp_path: Path, cli: Cli) -> None:  # noqa: F811
    folder = copied(starter_run, tmp_path / "runs")
    done = cli("import", str(tmp_path / "runs"), "--db", str(tmp_path / "experiments.db"))
    assert done.code == 0, done.err
    store = Store.open(tmp_path / "experiments.db")
    run = store.run(starter_run.id)
    assert run.folder == str(folder)
    original = starter_run.store.run(starter_run.id)
    assert rows(store, run) == rows(starter_run.store, original)
    assert len(store.yardsticks.of_base(str(original.recipe.model))) == 1
    assert run.started_at is not None and original.started_at is not None
    assert abs(run.started_at - original.started_at) < 60
    with pytest.raises(UsageError, match="which this store has"):
        import_own(store, folder)
    store.close()


def test_a_folder_from_elsewhere_is_copied(starter_run: StarterRun, tmp_path: Path) -> None:
    folder = copied(starter_run, tmp_path / "elsewhere" / "runs")
    Store.open(tmp_path / "elsewhere" / "experiments.db").close()
    store = Store.open(tmp_path / "experiments.db")
    run = import_own(store, folder)
    assert Path(run.folder).parent == tmp_path / "runs"
    shutil.rmtree(tmp_path / "elsewhere")
    run = store.run(run.id)
    assert (Path(str(run.checkpoint)) / "model.safetensors").is_file()
    assert all(Path(one.path).is_dir() for one in store.checkpoints(run.id))
    store.close()


def test_a_run_that_had_not_ended_is_crashed(starter_run: StarterRun, tmp_path: Path) -> None:
    folder = copied(starter_run, tmp_path / "runs")
    journal = file_of(folder, 0)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) // 2]) + lines[len(lines) // 2][:9])
    store = Store.open(tmp_path / "experiments.db")
    run = import_own(store, folder)
    assert run.status == Status.CRASHED and "resume" in (run.error_hint or "")
    assert run.ended_at is not None and run.worker_pid is None
    store.close()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": 2}', "[" * 100_000, json.dumps({"format": 1, "id": "x"})],
)
def test_a_folder_that_says_something_else_is_refused(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "runs" / "1-x"
    folder.mkdir(parents=True)
    (folder / JOB).write_text(content)
    store = Store.open(tmp_path / "experiments.db")
    assert own_folders(tmp_path / "runs") == [folder]
    with pytest.raises(UsageError, match=r"job\.json"):
        import_own(store, folder)
    assert store.runs() == []
    store.close()
