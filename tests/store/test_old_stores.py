"""A database of every earlier schema version, made by its own code, opens with all it held."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from workbench.store import Run, Store
from workbench.store.engine import SCHEMA_VERSION
from workbench.store.migrate import MIGRATIONS

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.db"))


@pytest.fixture(params=FIXTURES, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    copy = tmp_path / "experiments.db"
    shutil.copy(request.param, copy)
    return copy


def rows(file: Path, table: str) -> list[dict[str, object]]:
    with sqlite3.connect(file) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY id")]


def test_every_earlier_version_has_its_database() -> None:
    versions = {
        match[0] for path in (MIGRATIONS / "versions").glob("*.py") if (match := re.match(r"\d+", path.name))
    }
    assert {path.stem for path in FIXTURES} == versions - {SCHEMA_VERSION}


def test_nothing_that_it_held_is_changed(old: Path) -> None:
    before = {table: rows(old, table) for table in ("run", "metric", "checkpoint", "fill")}
    store = Store.open(old)
    assert store.integrity_problems() == []
    store.close()
    for table, earlier in before.items():
        now = rows(old, table)
        assert len(now) == len(earlier) > 0
        assert [{name: row[name] for name in was} for row, was in zip(now, earlier, strict=True)] == earlier


def test_its_runs_are_read_with_their_figures(old: Path) -> None:
    store = Store.open(old)
    runs: dict[str, Run] = {run.name: run for run in store.runs(include_archived=True)}
    first = runs["first"]
    assert (first.status, first.eval_perplexity, first.tags) == ("finished", 56.5, ["kept", "médecine"])
    assert first.starred and first.deleted_at is None and first.sweep_id is None
    assert [metric.step for metric in store.metrics(first.id, {"train/loss"})] == list(range(21))
    assert [(saved.step, saved.best) for saved in store.checkpoints(first.id)] == [(10, False), (20, True)]
    assert store.fills()[0].text == "The [MASK]."
    assert store.find("never began").error_hint == "Use the starter."
    store.close()


def test_a_copy_of_it_as_it_was_lies_beside_it(old: Path) -> None:
    before = rows(old, "run")
    Store.open(old).close()
    (backup,) = old.parent.glob("*.bak")
    assert rows(backup, "run") == before
    assert backup.stat().st_mode & 0o777 == 0o600
