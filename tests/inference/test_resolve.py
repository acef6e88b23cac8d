"""Whom `fill` asks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.errors import ModelError, StoreError, UsageError
from workbench.inference.resolve import ModelChoice, resolve_model
from workbench.recipe import preset
from workbench.store import Run, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "here" / "experiments.db")
    yield store
    store.close()


def run_with_checkpoints(store: Store, name: str, *steps: int) -> Run:
    run = store.create_run(preset("starter"), name)
    assert run.id
    for step in steps:
        folder = Path(run.folder) / "checkpoints" / f"step-{step:08d}"
        folder.mkdir(parents=True)
        store.add_checkpoint(
            run.id, step=step, epoch=step / 10, path=str(folder), eval_perplexity=None, best=False
        )
    return store.run(run.id)


def test_a_model_is_taken_as_it_is_named(store: Store) -> None:
    assert resolve_model(store, None, "starter") == ModelChoice("starter", "starter")
    assert resolve_model(store, model="some/model") == ModelChoice("some/model", "some/model")


def test_a_run_is_asked_at_its_newest_checkpoint(store: Store) -> None:
    run = run_with_checkpoints(store, "first", 10, 20)
    expected = ModelChoice("run 1 first", str(Path(run.folder) / "checkpoints" / "step-00000020"), 1)
    for reference in ("1", "first", "latest"):
        assert resolve_model(store, reference) == expected
        assert resolve_model(store, model=f"run:{reference}") == expected


def test_a_checkpoint_can_be_chosen(store: Store) -> None:
    run_with_checkpoints(store, "first", 10, 20)
    assert resolve_model(store, "1", checkpoint=10).path.endswith("step-00000010")
    with pytest.raises(ModelError) as raised:
        resolve_model(store, "1", checkpoint=15)
    assert raised.value.hint == "Steps with one: 10, 20."
    assert resolve_model(store, "1", checkpoint="last") == resolve_model(store, "1")
    # none of them was tested
    assert resolve_model(store, "1", checkpoint="best").path == resolve_model(store, "1").path
    folder = store.checkpoints(1)[0].path
    store.add_checkpoint(1, step=10, epoch=1.0, path=folder, eval_perplexity=9.0, best=True)
    best = resolve_model(store, "1", checkpoint="best")
    assert best.path == str(Path(folder)) and best.label == "run 1 first best"
    assert resolve_model(store, model="run:first@best") == best
    assert resolve_model(store, model="run:1@20").label == "run 1 first step 20"
    with pytest.raises(UsageError, match="belongs to a run"):
        resolve_model(store, model="starter", checkpoint="best")


def test_a_name_with_an_at_sign_is_a_name(store: Store) -> None:
    run_with_checkpoints(store, "me@home", 10)
    assert resolve_model(store, model="run:me@home").run_id == 1
    assert resolve_model(store, model="run:me@home@10").label == "run 1 me@home step 10"


def test_with_nothing_given_the_newest_run_that_can_answer_does(store: Store) -> None:
    assert resolve_model(store).path == "starter"
    run_with_checkpoints(store, "first", 10)
    run_with_checkpoints(store, "no checkpoint yet")
    assert resolve_model(store).run_id == 1


def test_what_cannot_be_asked(store: Store) -> None:
    with pytest.raises(UsageError, match="no runs yet"):
        resolve_model(store, "latest")
    run_with_checkpoints(store, "first")
    with pytest.raises(ModelError, match="run 1 first has no checkpoint yet"):
        resolve_model(store, "latest")
    with pytest.raises(UsageError, match="There is no run 'other'"):
        resolve_model(store, "other")
    with pytest.raises(UsageError, match="both"):
        resolve_model(store, "1", "starter")


def test_a_database_moved_with_its_runs_finds_them(store: Store, tmp_path: Path) -> None:
    run_with_checkpoints(store, "first", 10)
    store.close()
    (tmp_path / "here").rename(tmp_path / "there")
    moved = Store.open(tmp_path / "there" / "experiments.db")
    assert resolve_model(moved, "1").path.startswith(str(tmp_path / "there"))
    shutil.rmtree(moved.runs_folder)
    with pytest.raises(StoreError, match="is gone"):
        resolve_model(moved, "1")
    moved.close()
