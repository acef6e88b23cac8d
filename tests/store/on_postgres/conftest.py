"""A store on a real PostgreSQL, for the tests of this folder that are about nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.store import Store

from ...postgres import Server


@pytest.fixture
def url(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLM_WORKBENCH_RUNS", str(tmp_path / "runs"))
    return postgres.new_store()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


def name_of(url: str) -> str:
    return url.rpartition("/")[2]
