"""Copies of a database file: made while it is in use, put back, and what a crash left beside them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from workbench.errors import StoreError, UsageError
from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store
from workbench.store import sqlite_backup as backups

STARTER = PRESETS["starter"]
WRITER = """
import sys, time
from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store
store = Store.open(sys.argv[1])
run = store.create_run(PRESETS["starter"])
for step in range(400):
    store.add_metrics(run.id, 0, [MetricValue(f"train/{step % 7}", step, 0.0, i / 3) for i in range(100)])
print("written", flush=True)
time.sleep(600)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "experiments.db"


def filled(file: Path, *names: str) -> None:
    store = Store.open(file)
    for name in names:
        run = store.create_run(STARTER, name)
        store.add_metrics(run.id, 0, [MetricValue("train/loss", step, 0.0, 1.0) for step in range(200)])
    store.close()


def names(file: Path) -> list[str]:
    store = Store.open(file)
    found = sorted(run.name for run in store.runs())
    assert store.integrity_problems() == []
    store.close()
    return found


@pytest.fixture
def crashed(file: Path) -> Iterator[Path]:
    """A database whose only process was killed: its newest commits are in the log beside it."""
    filled(file, "before")
    with subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
    assert file.with_name("experiments.db-wal").stat().st_size > 100_000
    yield file


def test_the_log_of_a_crash_is_not_lost(crashed: Path) -> None:
    store = Store.open(crashed)
    assert len(store.metrics(2)) == 40_000 and store.integrity_problems() == []
    assert not list(crashed.parent.glob("*foreign*"))
    store.close()


def test_a_backup_that_is_copied_over_a_crashed_database_is_not_ruined(crashed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy.db"
    copy.parent.mkdir()
    filled(copy, "a", "b", "c")
    content = copy.read_bytes()
    crashed.write_bytes(content)  # as `cp` does it
    assert names(crashed) == ["a", "b", "c"]
    (kept,) = tmp_path.glob("experiments.db-wal.foreign-1")
    assert kept.stat().st_size > 100_000


def test_a_copy_of_a_live_store_and_its_way_back(file: Path, tmp_path: Path) -> None:
    filled(file, "first")
    live = Store.open(file)
    copy = tmp_path / "copy.db"
    backups.back_up(file, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="exists already"):
        backups.back_up(file, copy)
    live.create_run(STARTER, "second")
    with pytest.raises(StoreError, match="in use"):
        backups.restore(copy, file)
    assert [run.name for run in live.runs()] == ["second", "first"]
    live.close()
    kept = backups.restore(copy, file)
    assert names(file) == ["first"]
    assert kept is not None and names(kept / file.name) == ["first", "second"]
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob("*.restored"))


def test_what_is_damaged_makes_way_for_a_copy(crashed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backups.back_up(crashed, copy)
    content = bytearray(crashed.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)
    crashed.write_bytes(content)
    kept = backups.restore(copy, crashed)
    assert names(crashed) == ["before", "python-docs-128"]
    assert kept is not None and (kept / crashed.name).read_bytes() == content
    assert (kept / "experiments.db-wal").exists()


def test_a_copy_is_looked_at_before_anything_is_moved(file: Path, tmp_path: Path) -> None:
    filled(file, "first")
    before = file.read_bytes()
    no_store, cut, other = tmp_path / "notes.txt", tmp_path / "cut.db", tmp_path / "other.db"
    no_store.write_text("these are my notes\n" * 50, encoding="utf-8")
    cut.write_bytes(before[:20_000])
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE run (distance REAL)")
    for wrong in (no_store, cut, other, tmp_path / "missing.db", file):
        with pytest.raises(UsageError):
            backups.restore(wrong, file)
    assert file.read_bytes() == before


def test_a_run_that_trains_is_named(file: Path, tmp_path: Path) -> None:
    filled(file, "busy")
    backups.back_up(file, tmp_path / "copy.db")
    store = Store.open(file)
    store.update_run(1, status="running", heartbeat_at=time.time())
    store.close()
    with pytest.raises(StoreError, match=r"Run 1 busy trains.*stop 1"):
        backups.restore(tmp_path / "copy.db", file)


def test_once_a_day_and_the_newest_three_are_kept(file: Path, tmp_path: Path) -> None:
    filled(file, "first")
    for day in range(5):
        old = tmp_path / f"experiments.db.daily-2026-01-0{day + 1}.bak"
        old.write_bytes(b"")
        os.utime(old, (1e9 + day, 1e9 + day))
    (tmp_path / "experiments.db.mine.bak").write_bytes(b"")
    made = backups.once_a_day(file)
    assert made is not None and names(made) == ["first"]
    assert backups.once_a_day(file) is None
    left = {path.name for path in tmp_path.glob("*.bak")}
    assert left == {
        made.name,
        "experiments.db.daily-2026-01-04.bak",
        "experiments.db.daily-2026-01-05.bak",
        "experiments.db.mine.bak",
    }
