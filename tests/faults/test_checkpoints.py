"""A checkpoint that was damaged is noticed, and the one before is used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.training import checkpoint
from workbench.worker import launch, liveness

from .conftest import begin, wait_for_end

pytestmark = pytest.mark.usefixtures("from_nursery")


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def flip_a_weight(folder: Path) -> None:
    flip(folder / "model.safetensors")


def flip_a_moment(folder: Path) -> None:
    flip(folder / "state" / "optimizer.safetensors")


def lose_the_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()


def lose_the_state(folder: Path) -> None:
    shutil.rmtree(folder / "state")


def cut_off_the_manifest(folder: Path) -> None:
    manifest = folder / checkpoint.MANIFEST
    manifest.write_bytes(manifest.read_bytes()[:40])


def lose_the_manifest(folder: Path) -> None:
    (folder / checkpoint.MANIFEST).unlink()


def a_manifest_of_something_else(folder: Path) -> None:
    (folder / checkpoint.MANIFEST).write_text(json.dumps(["model.safetensors"]))


def a_manifest_of_nothing(folder: Path) -> None:
    (folder / checkpoint.MANIFEST).write_text("{}")


def empty_the_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


@pytest.fixture
def stopped(store: Store, tiny: Recipe) -> Run:
    """A run that has not come to its end, with several checkpoints."""
    whole = begin(store, tiny.with_changes(max_steps=20), "cut")
    run = wait_for_end(store, whole)
    assert run.status == Status.FINISHED, run.error
    store.update_run(whole, status=Status.CRASHED)
    return store.run(whole)


@pytest.mark.parametrize(
    "harm",
    [
        flip_a_weight,
        flip_a_moment,
        lose_the_configuration,
        lose_the_state,
        cut_off_the_manifest,
        lose_the_manifest,
        a_manifest_of_something_else,
        a_manifest_of_nothing,
        empty_the_weights,
    ],
)
def test_the_one_before_is_used(store: Store, stopped: Run, harm: Callable[[Path], None]) -> None:
    expected = [(metric.step, metric.value) for metric in store.metrics(stopped.id, ["train/loss"])]
    before, newest = checkpoint.whole_checkpoints(Path(stopped.folder))[-2:]
    harm(newest)
    launch.resume(store, stopped.id)
    run = wait_for_end(store, stopped.id)
    assert run.status == Status.FINISHED, run.error
    log = (Path(run.folder) / liveness.LOG).read_text()
    if harm is not lose_the_manifest:  # such a folder is no checkpoint at all, and has nothing to tell
        assert f"{newest.name}" in log and "using an earlier checkpoint" in log
    assert [(m.step, m.value) for m in store.metrics(stopped.id, ["train/loss"])] == expected
    assert {m.segment for m in store.metrics(stopped.id) if m.step > int(before.name[5:])} == {1}
    listed = [Path(one.path) for one in store.checkpoints(stopped.id)]
    assert newest in listed  # written anew, and whole
    assert checkpoint.damage(newest) == ""


def test_all_of_them_are_damaged(store: Store, stopped: Run) -> None:
    for folder in checkpoint.whole_checkpoints(Path(stopped.folder)):
        flip_a_weight(folder)
    launch.resume(store, stopped.id)
    run = wait_for_end(store, stopped.id)
    assert run.status == Status.FINISHED, run.error
    log = (Path(run.folder) / liveness.LOG).read_text()
    assert "the run starts over" in log
    steps = [metric.step for metric in store.metrics(stopped.id, ["train/loss"])]
    assert steps == list(range(1, 21))
