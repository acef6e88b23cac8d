"""One Slurm for all tests of this folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.project import FULL, SHORT, Project, Straight, fingerprint
from tests.cluster.slurm import Cluster, missing


@pytest.fixture(scope="session")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes of four CPUs and two pretended GPUs each."""
    if lacking := missing():
        pytest.skip(lacking)
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        try:
            cluster.start()
        except (OSError, AssertionError, subprocess.SubprocessError) as error:
            if FULL:
                raise
            pytest.skip(f"Slurm does not start here: {error}")
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def cluster(running_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster, as the commands of this test find it; its jobs end with the test."""
    monkeypatch.setenv("SLURM_CONF", str(running_cluster.conf))
    yield running_cluster
    running_cluster.clear()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A store of its own; the training takes one thread, so that its sums are the same in every job."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = Project(tmp_path / "project folder")
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def straight(running_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Straight:
    """A run that the command line trains on the cluster, from its submission to its end."""
    folder = tmp_path_factory.mktemp("straight")
    command = [sys.executable, "-m", "workbench", "train", "--on", "slurm", "--json", "--name", "a b'c"]
    for name, value in SHORT.model_dump(mode="json").items():
        command += ["--set", f"{name}={'' if value is None else value}"]
    environment = {**os.environ, "SLURM_CONF": str(running_cluster.conf), "OMP_NUM_THREADS": "1"}
    command += ["--db", str(folder / "experiments.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    return Straight(printed, fingerprint(printed["checkpoint"]))
