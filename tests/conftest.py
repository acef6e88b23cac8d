"""What all tests share: a cache of their own, and one real training of the starter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

from workbench.paths import CACHE_VARIABLE, CONFIG_VARIABLE
from workbench.store import Store

from . import postgres as servers

# A shell starts what it puts in the background with interrupts ignored, nohup with hang-ups; every process
# that the tests start would inherit that, and Ctrl-C and a closed terminal could not be tested.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# The same examples in every run, so that a change is judged by itself; `make faults` draws new ones.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("new examples", print_blob=True)
settings.load_profile("new examples" if os.environ.get("MLM_WORKBENCH_FAULTS") == "full" else "repeatable")


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


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes test (pytest -n), a file's tests stay in one; those of a folder that shares a
    costly fixture as well.
    """
    for item in items:
        together = item.path.parent if item.path.parent.name in SHARING else item.path
        item.add_marker(pytest.mark.xdist_group(str(together)))


SHARING = {"analysis", "cluster", "sweeps"}
"""Folders of tests that share trained models of their own."""


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this test session."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(shared_folder: Path) -> Iterator[Path]:
    """Prepared texts go to a folder of the tests, unless one is named already."""
    before = os.environ.get(CACHE_VARIABLE)
    folder = Path(before) if before else shared_folder / "workbench-cache"
    folder.mkdir(exist_ok=True, parents=True)
    os.environ[CACHE_VARIABLE] = str(folder)
    yield folder
    if before is None:
        del os.environ[CACHE_VARIABLE]


@pytest.fixture(autouse=True)
def own_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the presets of whoever runs it."""
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path_factory.mktemp("config")))


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Server]:
    """A PostgreSQL server; the test is skipped where none can be started."""
    yield from servers.started()


@pytest.fixture(scope="session")
def restarted() -> Iterator[servers.Server]:
    """Another server, which tests may stop if they start it again."""
    yield from servers.started()


@pytest.fixture(params=servers.KINDS)
def location(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a test's store is, for each kind of database: path or URL. Its runs lie in `runs` of tmp_path."""
    return servers.empty_store(request.param, request, tmp_path, monkeypatch, lent=True)


@pytest.fixture(autouse=True)
def no_cluster_unless_started(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside tests/cluster nobody asks the Slurm of the machine, where there is one, for made-up jobs: that
    process would live for as long as they do.
    """
    if request.path.parent.name != "cluster":
        monkeypatch.setattr("workbench.worker.jobs.can_ask", lambda: False)


@pytest.fixture(scope="session")
def starter_run(shared_folder: Path, cache_of_the_tests: Path) -> Iterator[StarterRun]:
    """One training of about a minute on two cores, by the first process that needs it."""
    folder = shared_folder / "starter-run"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _train_starter(folder)
    store = Store.open(folder / "experiments.db")
    printed, progress = ((folder / name).read_text(encoding="utf-8") for name in ("printed", "progress"))
    yield StarterRun(folder / "experiments.db", json.loads(printed), progress, store)
    store.close()


def _train_starter(folder: Path) -> None:
    folder.mkdir()
    command = [sys.executable, "-m", "workbench", "train", "--preset", "starter", "--epochs", "2"]
    command += ["--batch-size", "16", "--name", "starter-run", "--json"]
    command += ["--db", str(folder / "experiments.db")]
    # A test session may be told to use one thread; the worker is a program of its own.
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    trained = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1800)
    assert trained.returncode == 0, trained.stderr
    (folder / "printed").write_text(trained.stdout, encoding="utf-8")
    (folder / "progress").write_text(trained.stderr, encoding="utf-8")
