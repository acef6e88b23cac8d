"""What is told of a submission before anything is fetched."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from workbench.engines import control
from workbench.engines.place import Place
from workbench.engines.submit import submit
from workbench.recipe import PRESETS
from workbench.status import PlaceEngine, Status
from workbench.store import Store
from workbench.worker import launch


def test_without_sbatch_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with closing(Store.open(tmp_path / "experiments.db")) as store:
        recipe = PRESETS["starter"].with_changes(dataset=str(tmp_path / "not there.txt"))
        run = launch.queue(store, recipe, "one", **control.columns_of(Place("slurm", PlaceEngine.SLURM)))
        submit(store, [run])
        told = store.run(run.id)
    assert told.status == Status.FAILED
    assert told.error == "There is no command sbatch on this machine."
    assert "login node" in (told.error_hint or "")
