"""What is settled before a worker starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.errors import StoreError, UsageError
from workbench.recipe import PRESETS, Recipe
from workbench.status import Status
from workbench.store import Store
from workbench.worker import launch
from workbench.worker.launch import without_passwords


def test_passwords_in_urls_are_left_out() -> None:
    assert (
        without_passwords("mlm-workbench --db postgresql://me:secret@host:5432/runs train --name 'a b'")
        == "mlm-workbench --db postgresql://me:***@host:5432/runs train --name 'a b'"
    )
    assert (
        without_passwords("train --db=postgresql://me:a@b@host/x") == "train --db=postgresql://me:***@host/x"
    )
    given = "train --db postgresql://host/x?user=me&password=s3cret&sslmode=require --epochs 1"
    assert without_passwords(given) == given.replace("s3cret", "***")
    assert without_passwords("train --model a/b --db sqlite:////tmp/x.db") == (
        "train --model a/b --db sqlite:////tmp/x.db"
    )


def test_a_run_that_is_finished_or_going_cannot_be_resumed(store: Store) -> None:
    run = store.create_run(PRESETS["starter"])
    with pytest.raises(UsageError, match="already queued"):
        launch.resume(store, run.id)
    store.update_run(run.id, status=Status.FINISHED)
    with pytest.raises(UsageError, match=f"--model run:{run.id}"):
        launch.resume(store, run.id)


def test_stopping_a_run_that_has_ended_changes_nothing(store: Store) -> None:
    run = store.create_run(PRESETS["starter"])
    # this very process: it would not survive the signal
    store.update_run(run.id, status=Status.CRASHED, worker_pid=os.getpid())
    launch.stop(store, run.id)
    assert store.run(run.id).stop_requested_at is None


def test_a_model_of_no_run_is_refused_before_anything_is_made(store: Store, recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="no runs yet"):
        launch.start(store, recipe.with_changes(model="run:latest"))
    assert store.runs() == []


def test_where_the_folder_cannot_be_made_no_run_stays(store: Store, recipe: Recipe) -> None:
    store.runs_folder.write_text("a file is in the way")
    with pytest.raises(StoreError, match="Cannot write the run's folder"):
        launch.start(store, recipe)
    assert store.runs() == []
    assert store.runs_folder.read_text() == "a file is in the way"


def test_a_folder_of_another_database_is_left_alone(tmp_path: Path) -> None:
    taken = tmp_path / "1-name"
    taken.mkdir()
    (taken / "precious").touch()
    assert launch.new_folder(taken) == tmp_path / "1-name-2"
    assert launch.new_folder(taken) == tmp_path / "1-name-3"
    assert (taken / "precious").exists()
