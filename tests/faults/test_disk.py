"""The disk is full, or may not be written: said, nothing damaged, and it goes on where it stood."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.cli import checks
from workbench.errors import StoreError
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store
from workbench.training import checkpoint
from workbench.worker import launch, liveness

from ..cli.conftest import Cli, write
from .conftest import begin, cli, needs_root, wait_for, wait_for_end, wait_until  # noqa: F401

pytestmark = [needs_root, pytest.mark.usefixtures("from_nursery")]
SIZE = 4 << 20


@pytest.fixture
def mount_small_disk() -> Iterator[Callable[[Path], Path]]:
    """Makes a disk of four megabytes of an empty folder."""
    mounted: list[Path] = []

    def make(place: Path) -> Path:
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(place)]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("a tmpfs may not be mounted here")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small_disk(mount_small_disk: Callable[[Path], Path], tmp_path: Path) -> Path:
    return mount_small_disk(tmp_path / "disk")


@pytest.fixture
def on_small_disk(small_disk: Path) -> Iterator[Store]:
    opened = Store.open(small_disk / "experiments.db")
    yield opened
    for run in opened.active_runs():
        (small_disk / "ballast").unlink(missing_ok=True)
        launch.stop(opened, run.id)
        wait_for_end(opened, run.id)
    opened.close()


def fill_up(place: Path, leave: int = 0) -> None:
    """Leave so many bytes."""
    with (place / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            pass
        if leave:
            ballast.truncate(ballast.tell() - leave)


def figures(store: Store, run_id: int) -> dict[tuple[str, int], float]:
    metrics = store.metrics(run_id, ("train/loss", "eval/perplexity", "train/perplexity"))
    found = {(metric.name, metric.step): metric.value for metric in metrics}
    assert len(found) == len(metrics)
    return found


def uninterrupted(store: Store, recipe: Recipe) -> dict[tuple[str, int], float]:
    whole = wait_for_end(store, begin(store, recipe, "whole"))
    assert whole.status == Status.FINISHED, whole.error
    return figures(store, whole.id)


def test_full_while_figures_are_written(
    store: Store, on_small_disk: Store, small_disk: Path, tiny: Recipe
) -> None:
    """Metrics, the log, and at last a checkpoint: all of it finds no room, and then there is some again."""
    recipe = tiny.with_changes(epochs=8, eval_every=0, checkpoint_every=0)
    expected = uninterrupted(store, recipe)
    run_id = begin(on_small_disk, recipe, "squeezed")
    wait_for(on_small_disk, run_id, lambda run: (run.step or 0) > 2)
    fill_up(small_disk)
    # not even its heartbeat finds room
    wait_until(lambda: liveness.seconds_of_silence(on_small_disk.run(run_id)) > 2, "silence")
    (small_disk / "ballast").unlink()
    run = wait_for_end(on_small_disk, run_id)
    assert on_small_disk.integrity_problems() == []
    if run.status != Status.FINISHED:  # room came too late for the checkpoint
        assert run.status == Status.FAILED and "disk is full" in (run.error or ""), run.error
        assert "resume" in (run.error_hint or "")
        launch.resume(on_small_disk, run_id)
        run = wait_for_end(on_small_disk, run_id)
    assert run.status == Status.FINISHED, run.error
    assert figures(on_small_disk, run_id) == expected


def test_full_while_a_checkpoint_is_written(
    store: Store, mount_small_disk: Callable[[Path], Path], tiny: Recipe
) -> None:
    """The database has room, the run's folder has none."""
    mount_small_disk(store.runs_folder)
    recipe = tiny.with_changes(epochs=8, eval_every=0, checkpoint_every=40)
    expected = uninterrupted(store, recipe)
    run_id = begin(store, recipe, "squeezed")
    run = wait_for(store, run_id, lambda run: run.checkpoint is not None)
    size = sum(file.stat().st_size for file in Path(str(run.checkpoint)).rglob("*") if file.is_file())
    fill_up(store.runs_folder, leave=size // 2)
    run = wait_for_end(store, run_id, 60)
    assert run.status == Status.FAILED and (run.error or "").startswith("The disk is full"), run.error
    assert "last checkpoint is kept" in (run.error_hint or "") and run.phase == "saving"
    assert store.integrity_problems() == []
    saved = checkpoint.whole_checkpoints(Path(run.folder))
    assert saved and checkpoint.damage(saved[-1]) == ""
    assert list(Path(run.folder).rglob(f"{checkpoint.TEMPORARY}*")) == []
    (store.runs_folder / "ballast").unlink()
    launch.resume(store, run_id)
    run = wait_for_end(store, run_id, 60)
    assert run.status == Status.FINISHED, run.error
    assert figures(store, run_id) == expected


def test_commands_on_a_full_disk(on_small_disk: Store, small_disk: Path, tiny: Recipe, cli: Cli) -> None:  # noqa: F811
    database = str(small_disk / "experiments.db")
    config = write(tiny, small_disk / "recipe.toml")
    fill_up(small_disk)
    assert cli("runs", "--db", database).code == 0
    refused = cli("train", "--config", config, "--db", database)
    assert refused.code == 1 and refused.err.startswith("Error: ") and "Make room" in refused.err
    fresh = cli("runs", "--db", str(small_disk / "other" / "new.db"))
    assert fresh.code == 1 and fresh.err.startswith("Error: ")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """A view of a folder through which not even root can write."""
    mounted: list[Path] = []

    def view(folder: Path) -> Path:
        place = tmp_path / f"read-only-{len(mounted)}"
        place.mkdir()
        if subprocess.run(["mount", "--bind", str(folder), str(place)], capture_output=True).returncode:
            pytest.skip("a folder may not be mounted here")
        mounted.append(place)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        return place

    yield view
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_folder_that_may_not_be_written(
    read_only: Callable[[Path], Path],
    tmp_path: Path,
    tiny: Recipe,
    cli: Cli,  # noqa: F811
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    Store.open(folder / "experiments.db").close()
    place = read_only(folder)
    for database in (place / "experiments.db", place / "new.db", place / "sub" / "new.db"):
        with pytest.raises(StoreError) as refused:
            Store.open(database)
        assert "--db" in refused.value.hint and str(database) in refused.value.message
    shown = cli("runs", "--db", str(place / "experiments.db"))
    assert shown.code == 1 and "Error: Cannot open the database" in shown.err
    for check in (checks._database, lambda db: checks._space(Path(db).parent)):
        assert check(str(place / "experiments.db")).status == "failure"


def test_a_runs_folder_that_may_not_be_written(
    read_only: Callable[[Path], Path], tmp_path: Path, tiny: Recipe
) -> None:
    store = Store.open(tmp_path / "here.db")
    run_id = begin(store, tiny.with_changes(epochs=400, checkpoint_every=50, eval_every=0), "shut in")
    run = wait_for(store, run_id, lambda run: run.checkpoint is not None)
    folder = Path(run.folder)
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        run = wait_for_end(store, run_id)
        assert run.status == Status.FAILED, run.error
        assert "Cannot use" in (run.error or "") and "permissions" in (run.error_hint or "")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
    launch.resume(store, run_id)
    wait_for(store, run_id, lambda run: (run.step or 0) > 0)
    launch.stop(store, run_id)
    assert wait_for_end(store, run_id).status == Status.STOPPED
    store.close()
