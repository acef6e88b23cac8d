"""A resume needs the run's folder alone, and a copied or moved database its own."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from workbench.errors import StoreError
from workbench.paths import CACHE_VARIABLE
from workbench.processes import is_same_process
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker import launch, liveness

from .conftest import values, wait_for, wait_for_end


@pytest.fixture
def own_files(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """The recipe with a model, a text and a cache that a test may take away."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    shutil.copytree(recipe.model, tmp_path / "base")
    shutil.copy(recipe.dataset, tmp_path / "text.txt")
    return recipe.with_changes(model=str(tmp_path / "base"), dataset=str(tmp_path / "text.txt"))


def stopped(store: Store, recipe: Recipe) -> int:
    """A run that was stopped between two checkpoints."""
    run_id = launch.start(store, recipe).id
    assert run_id is not None
    wait_for(store, run_id, lambda run: (run.step or 0) > 6)
    launch.stop(store, run_id)
    run = wait_for_end(store, run_id)
    assert run.status == Status.STOPPED, run.error
    return run_id


def resumed(store: Store, run_id: int) -> Run:
    launch.resume(store, run_id)
    return wait_for_end(store, run_id)


def long(recipe: Recipe) -> Recipe:
    return recipe.with_changes(epochs=6)


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_with_model_and_text_gone_it_goes_on_to_the_same_numbers(
    store: Store, own_files: Recipe, tmp_path: Path
) -> None:
    whole = launch.start(store, long(own_files), "whole").id
    assert whole is not None and wait_for_end(store, whole).status == Status.FINISHED
    run_id = stopped(store, long(own_files))
    (tmp_path / "base").rename(tmp_path / "renamed")
    (tmp_path / "text.txt").unlink()
    run = resumed(store, run_id)
    assert run.status == Status.FINISHED, run.error
    for name in ("train/loss", "eval/perplexity"):
        assert values(store, run_id, name) == values(store, whole, name)
    assert run.yardstick_perplexity == store.run(whole).yardstick_perplexity is not None
    log = (Path(run.folder) / liveness.LOG).read_text()
    assert "text from the cache" in log and "The model before training was not scored" in log


def test_with_the_prepared_text_gone_too_it_says_what_is_missing(
    store: Store, own_files: Recipe, tmp_path: Path
) -> None:
    run_id = stopped(store, long(own_files))
    shutil.rmtree(tmp_path / "base")
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "text.txt").rename(tmp_path / "kept.txt")
    run = resumed(store, run_id)
    assert run.status == Status.FAILED and run.error
    assert "prepared text is no longer in" in run.error and "text.txt" in run.error
    (tmp_path / "kept.txt").rename(tmp_path / "text.txt")
    assert resumed(store, run_id).status == Status.FINISHED


@pytest.mark.parametrize("moved", [False, True])
def test_a_copied_or_moved_database_goes_on_with_its_own_runs(
    recipe: Recipe, tmp_path: Path, moved: bool
) -> None:
    original, other = tmp_path / "original", tmp_path / "other"
    store = Store.open(original / "experiments.db")
    run_id = stopped(store, long(recipe))
    store.close()
    before = contents(original)
    if moved:
        original.rename(other)
    else:
        shutil.copytree(original, other)
    store = Store.open(other / "experiments.db")
    try:
        run = resumed(store, run_id)
        assert run.status == Status.FINISHED, run.error
        saved = [Path(one.path) for one in store.checkpoints(run_id)]
    finally:
        store.close()
    assert all(path.is_dir() and path.is_relative_to(other) for path in [Path(run.folder), *saved])
    assert moved or contents(original) == before


def test_a_copy_never_takes_the_originals_worker_for_its_own(endless: Recipe, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "original/experiments.db")
    run_id = launch.start(store, endless).id
    assert run_id is not None
    run = wait_for(store, run_id, lambda run: run.checkpoint is not None)
    assert run.worker_pid is not None and run.worker_started_at is not None
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copy = Store.open(tmp_path / "copy/experiments.db")
    assert copy.run(run_id).status == Status.RUNNING
    launch.stop(copy, run_id)
    assert liveness.refresh(copy) == []
    seen = copy.run(run_id)
    assert seen.status == Status.CRASHED and "it is running in the original" in (seen.error or "")
    step = store.run(run_id).step or 0
    assert is_same_process(run.worker_pid, run.worker_started_at)
    wait_for(store, run_id, lambda run: (run.step or 0) > step + 3)
    copy.close()
    launch.stop(store, run_id)
    assert wait_for_end(store, run_id).status == Status.STOPPED
    store.close()


def test_without_its_folder_a_run_cannot_go_on_and_stays_as_it_was(store: Store, recipe: Recipe) -> None:
    run = store.create_run(recipe)
    assert run.id is not None
    store.update_run(run.id, status=Status.STOPPED)
    with pytest.raises(Exception, match=r"folder of run \d+ \S+ is gone: .*`runs` folder beside"):
        launch.resume(store, run.id)
    assert store.run(run.id).status == Status.STOPPED


def test_a_copy_in_the_same_folder_does_not_go_on_in_the_originals_files(
    recipe: Recipe, tmp_path: Path
) -> None:
    original = Store.open(tmp_path / "a.db")
    run = original.create_run(recipe, "mine")
    Path(run.folder).mkdir(parents=True)
    original.claim_files(run)
    original.update_run(run.id, status=Status.STOPPED)
    original.close()
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    copy = Store.open(tmp_path / "b.db")
    with pytest.raises(StoreError, match="belong to"):
        launch.resume(copy, run.id)
    assert copy.run(run.id).status == Status.STOPPED
    copy.close()
