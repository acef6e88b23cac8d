"""Real runs of the starter, short ones, that tests of this folder share: read them, never change them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.inference.conftest import byte_level_folder  # noqa: F401
from workbench.recipe import PRESETS, Recipe
from workbench.store import Run, Store

STEPS = 60


@dataclass(frozen=True)
class Trained:
    """A database with runs by name."""

    database: Path
    store: Store

    def run(self, name: str) -> Run:
        return self.store.find(name)

    def ids(self, *names: str) -> list[int]:
        return [found for name in names if (found := self.run(name).id) is not None]


SHORT = PRESETS["starter"].with_changes(
    max_steps=STEPS, checkpoint_every=20, train_size=332, test_size=0.1, device="cpu"
)

RECIPES: dict[str, Recipe] = {
    "usual": SHORT,
    "many masks": SHORT.with_changes(mask_prob=0.4),
    "short chunks": SHORT.with_changes(chunk_size=64, test_size=0.05, max_steps=10),
    "seed 7": SHORT.with_changes(seed=7, split_seed=42),
    "other split": SHORT.with_changes(seed=7, max_steps=10),
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, cache_of_the_tests: Path) -> Iterator[Trained]:
    """One worker after another, some seconds each."""
    database = tmp_path_factory.mktemp("analysis") / "experiments.db"
    store = Store.open(database)
    for name, recipe in RECIPES.items():
        run = store.create_run(recipe, name)
        command = [sys.executable, "-m", "workbench.worker", "--db", str(database), "--run", str(run.id)]
        Path(run.folder).mkdir(parents=True)
        done = subprocess.run(command, capture_output=True, text=True, env=_environment(), timeout=600)
        assert done.returncode == 0, done.stderr
        Path(run.folder, "worker.log").write_text(done.stderr, encoding="utf-8")
    yield Trained(database, store)
    store.close()


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}
