"""What all tests share: a cache of their own, and one real training of the starter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.paths import CACHE_VARIABLE, CONFIG_VARIABLE
from workbench.store import Store


@dataclass(frozen=True)
class StarterRun:
    """The starter, trained for two epochs by the real command line and its real worker.

    Shared by all tests: read it, fill with it, but neither change nor delete it.
    """

    database: Path
    printed: dict[str, Any]
    """What `train --json` printed."""
    progress: str
    """What it wrote on standard error."""
    store: Store

    @property
    def id(self) -> int:
        return int(self.printed["id"])

    @property
    def checkpoint(self) -> Path:
        return Path(self.printed["checkpoint"])


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Prepared texts go to a folder of the tests, unless one is named already."""
    before = os.environ.get(CACHE_VARIABLE)
    folder = Path(before) if before else tmp_path_factory.mktemp("workbench-cache")
    os.environ[CACHE_VARIABLE] = str(folder)
    yield folder
    if before is None:
        del os.environ[CACHE_VARIABLE]


@pytest.fixture(autouse=True)
def own_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the presets of whoever runs it."""
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path_factory.mktemp("config")))


@pytest.fixture(scope="session")
def starter_run(tmp_path_factory: pytest.TempPathFactory, cache_of_the_tests: Path) -> Iterator[StarterRun]:
    """One training of about a minute on two cores."""
    database = tmp_path_factory.mktemp("starter-run") / "experiments.db"
    command = [sys.executable, "-m", "workbench", "train", "--preset", "starter", "--epochs", "2"]
    command += ["--batch-size", "16", "--name", "starter-run", "--json", "--db", str(database)]
    # A test session may be told to use one thread; the worker is a program of its own.
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    trained = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1800)
    assert trained.returncode == 0, trained.stderr
    store = Store.open(database)
    yield StarterRun(database, json.loads(trained.stdout), trained.stderr, store)
    store.close()
