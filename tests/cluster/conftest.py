"""One Slurm for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.slurm import Cluster, missing


@pytest.fixture(scope="session")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes of four CPUs and two pretended GPUs each."""
    if lacking := missing():
        pytest.skip(lacking)
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def cluster(running_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster, as the commands of this test find it; its jobs end with the test."""
    monkeypatch.setenv("SLURM_CONF", str(running_cluster.conf))
    yield running_cluster
    running_cluster.clear()
