"""Killed while it brings a store up to date, at each of its statements: nothing is half done."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workbench.processes import process_exists
from workbench.store import Store
from workbench.store.engine import SCHEMA_VERSION

from .conftest import FULL, wait_until
from .nursery import Nursery

FIXTURES = Path(__file__).parents[1] / "store" / "fixtures"
OLDEST = FIXTURES / "0001.db"
LAST = 200
"""More statements than a migration has."""


def contents(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's columns of the oldest schema, row by row."""
    with closing(sqlite3.connect(OLDEST)) as oldest:
        tables = [name for (name,) in oldest.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {t: [row[1] for row in oldest.execute(f"PRAGMA table_info({t})")] for t in tables}
    del columns["alembic_version"]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {
            table: connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY id").fetchall()
            for table, names in columns.items()
        }


def version_of(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def kill_at(nursery: Nursery, file: Path, statement: int) -> None:
    pid = nursery.start("open_and_die", str(file), statement)
    wait_until(lambda: not process_exists(pid), f"the end at statement {statement}")


def test_killed_at_any_statement(nursery: Nursery, tmp_path: Path) -> None:
    before = contents(OLDEST)
    versions = []
    for statement in range(1, LAST):
        if not FULL and statement > 3 and statement % 6:
            continue
        folder = tmp_path / str(statement)
        folder.mkdir()
        file = folder / "experiments.db"
        shutil.copy(OLDEST, file)
        kill_at(nursery, file, statement)
        versions.append(version_of(file))
        assert versions[-1] in ("0001", SCHEMA_VERSION)
        assert contents(file) == before
        # what is there after a kill is migrated by the next one who opens it
        store = Store.open(file)
        assert store.integrity_problems() == []
        assert len(store.runs(include_archived=True)) == len(before["run"])
        store.close()
        assert version_of(file) == SCHEMA_VERSION
        assert contents(file) == before
        (backup,) = folder.glob("*.bak")
        assert contents(backup) == before and version_of(backup) == "0001"
        assert {path.name for path in folder.iterdir()} == {file.name, backup.name}
        if versions[-1] == SCHEMA_VERSION:
            break
    # killed before it was done, and at last not at all
    assert versions[0] == "0001" and versions[-1] == SCHEMA_VERSION


def test_a_backup_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "experiments.db"
    shutil.copy(OLDEST, file)
    cut_off = tmp_path / "experiments.db.before-0001.bak"
    cut_off.write_bytes(OLDEST.read_bytes()[:5000])
    Store.open(file).close()
    assert contents(cut_off) == contents(OLDEST)


@pytest.mark.parametrize("many", [4])
def test_several_that_open_it_at_once(nursery: Nursery, tmp_path: Path, many: int) -> None:
    file = tmp_path / "experiments.db"
    shutil.copy(OLDEST, file)
    pids = [nursery.start("open_and_die", str(file), LAST) for _ in range(many)]
    wait_until(lambda: not any(map(process_exists, pids)), "their end")
    assert version_of(file) == SCHEMA_VERSION
    assert contents(file) == contents(OLDEST)
