"""A database that was copied or moved uses the runs beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workbench.errors import StoreError
from workbench.recipe import PRESETS
from workbench.store import Store

STEP = "checkpoints/step-00000005"


def make(folder: Path) -> int:
    """A database with a run that has a checkpoint, as a worker leaves it; the run's id."""
    folder.mkdir(parents=True)
    store = Store.open(folder / "experiments.db")
    run = store.create_run(PRESETS["starter"], "mine")
    assert run.id is not None
    path = Path(run.folder) / STEP
    path.mkdir(parents=True)
    store.add_checkpoint(run.id, step=5, epoch=0.5, path=str(path), eval_perplexity=2.0, best=True)
    store.update_run(run.id, environment={"base_model": str(path), "host": "here"})
    store.close()
    return run.id


def places(folder: Path, run_id: int) -> set[Path]:
    """All folders that the database in `folder` gives for the run."""
    store = Store.open(folder / "experiments.db")
    run, (saved,) = store.run(run_id), store.checkpoints(run_id)
    listed = next(one for one in store.runs() if one.id == run_id)
    store.close()
    assert run.checkpoint and (listed.folder, listed.checkpoint) == (run.folder, run.checkpoint)
    assert run.environment["host"] == "here"
    checkpoints = {Path(run.checkpoint), Path(saved.path), Path(run.environment["base_model"])}
    assert {one.relative_to(run.folder) for one in checkpoints} == {Path(STEP)}
    return {Path(run.folder)}


def test_where_it_was_made(tmp_path: Path) -> None:
    run_id = make(tmp_path / "a")
    assert places(tmp_path / "a", run_id) == {tmp_path / "a/runs/1-mine"}


def test_a_copy_has_its_own_and_a_move_takes_them_along(tmp_path: Path) -> None:
    run_id = make(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert places(tmp_path / "b", run_id) == {tmp_path / "b/runs/1-mine"}
    (tmp_path / "a").rename(tmp_path / "c")
    assert places(tmp_path / "c", run_id) == {tmp_path / "c/runs/1-mine"}


def test_a_database_that_was_copied_alone_does_not_use_the_originals(tmp_path: Path) -> None:
    run_id = make(tmp_path / "a")
    (tmp_path / "b").mkdir()
    shutil.copy(tmp_path / "a/experiments.db", tmp_path / "b")
    assert places(tmp_path / "b", run_id) == {tmp_path / "b/runs/1-mine"}


def test_a_database_that_was_moved_alone_still_finds_its_runs(tmp_path: Path) -> None:
    run_id = make(tmp_path / "a")
    (tmp_path / "b").mkdir()
    shutil.move(tmp_path / "a/experiments.db", tmp_path / "b")
    assert places(tmp_path / "b", run_id) == {tmp_path / "a/runs/1-mine"}


def test_what_lies_elsewhere_by_intent_stays_there(tmp_path: Path) -> None:
    run_id = make(tmp_path / "a")
    elsewhere = tmp_path / "trainer" / "checkpoint-500"
    elsewhere.mkdir(parents=True)
    store = Store.open(tmp_path / "a/experiments.db")
    store.add_checkpoint(run_id, step=9, epoch=1, path=str(elsewhere), eval_perplexity=None, best=False)
    store.update_run(run_id, environment={"base_model": "bert-base-uncased"})
    store.close()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    store = Store.open(tmp_path / "b/experiments.db")
    assert store.checkpoints(run_id)[-1].path == str(elsewhere)
    assert store.run(run_id).environment["base_model"] == "bert-base-uncased"
    store.close()


@pytest.mark.parametrize("change", ["retag", "rename"])
def test_to_change_a_run_of_a_copy_changes_no_path_in_it(tmp_path: Path, change: str) -> None:
    run_id = make(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    store = Store.open(tmp_path / "b/experiments.db")
    if change == "retag":
        store.catalog.retag([run_id], lambda tags: [*tags, "new"])
    else:
        store.catalog.rename(run_id, "another")
    store.close()
    shutil.rmtree(tmp_path / "a")
    assert places(tmp_path / "b", run_id) == {tmp_path / "b/runs/1-mine"}


def beside(folder: Path) -> tuple[Store, Store, int]:
    """A database with a run that it trained, and its copy in the same folder."""
    run_id = make(folder)
    original = Store.open(folder / "experiments.db")
    original.claim_files(original.run(run_id))
    original.close()
    shutil.copy(folder / "experiments.db", folder / "copy.db")
    return Store.open(folder / "experiments.db"), Store.open(folder / "copy.db"), run_id


def test_a_copy_beside_its_original_does_not_get_its_files(tmp_path: Path) -> None:
    original, copy, run_id = beside(tmp_path / "a")
    with pytest.raises(StoreError, match=r"belong to .*experiments\.db, of which copy\.db is a copy"):
        copy.claim_files(copy.run(run_id))
    original.claim_files(original.run(run_id))
    copy.update_run(run_id, status="stopped")
    copy.catalog.remove(run_id)
    assert (Path(original.run(run_id).folder) / STEP).is_dir()
    original.update_run(run_id, status="stopped")
    original.catalog.remove(run_id)
    assert not (tmp_path / "a/runs/1-mine").exists()


@pytest.mark.parametrize("what", ["gone", "renamed", "another"])
def test_a_database_whose_original_is_gone_has_its_files(tmp_path: Path, what: str) -> None:
    original, copy, run_id = beside(tmp_path / "a")
    original.close()
    if what == "renamed":
        (tmp_path / "a/experiments.db").rename(tmp_path / "a/elsewhere.db")
    else:
        (tmp_path / "a/experiments.db").unlink()
    if what == "another":  # one of the same name, which never had the run
        Store.open(tmp_path / "a/experiments.db").close()
    copy.claim_files(copy.run(run_id))
    assert (tmp_path / "a/runs/1-mine/database").read_text() == "copy.db\n"
    copy.close()


def test_the_same_database_by_another_name_is_no_copy(tmp_path: Path) -> None:
    original, copy, run_id = beside(tmp_path / "a")
    copy.close()
    (tmp_path / "a/copy.db").unlink()
    (tmp_path / "a/copy.db").symlink_to("experiments.db")
    linked = Store.open(tmp_path / "a/copy.db")
    linked.claim_files(linked.run(run_id))
    linked.close()
    original.close()
