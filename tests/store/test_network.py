"""A database on a network file system: no WAL, and one machine at a time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from workbench.cli import checks
from workbench.errors import StoreError
from workbench.recipe import PRESETS
from workbench.store import Store, one_host


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is mounted from a server, as far as the kernel says."""
    folder = tmp_path / "shared"
    folder.mkdir()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:5 / {folder} rw - nfs4 server:/x rw\n")
    monkeypatch.setattr("workbench.mounts.MOUNTS", mounts)
    return folder


def mode(store: Store) -> str:
    with store.database.engine.connect() as connection:
        return str(connection.execute(text("PRAGMA journal_mode")).scalar_one())


def test_it_is_opened_without_wal_and_says_so_once(shared: Path, tmp_path: Path) -> None:
    store = Store.open(shared / "experiments.db")
    assert mode(store) == "truncate"
    assert "network file system (nfs4)" in store.notice and "--db" in store.notice
    store.create_run(PRESETS["starter"])
    second = Store.open(shared / "experiments.db")
    assert second.notice == "" and len(second.runs()) == 1
    before = second.data_version()
    store.create_run(PRESETS["starter"])
    assert second.data_version() != before
    for one in (store, second):
        one.close()
    assert not list(shared.glob("*-wal"))
    local = Store.open(tmp_path / "experiments.db")
    assert mode(local) == "wal" and local.notice == ""
    local.close()


def test_a_database_that_was_moved_to_a_network_and_back_is_whole(shared: Path, tmp_path: Path) -> None:
    local = Store.open(tmp_path / "experiments.db")
    local.create_run(PRESETS["starter"])
    local.close()
    (tmp_path / "experiments.db").rename(shared / "experiments.db")
    store = Store.open(shared / "experiments.db")
    assert mode(store) == "truncate" and len(store.runs()) == 1
    store.close()
    (shared / "experiments.db").rename(tmp_path / "experiments.db")
    local = Store.open(tmp_path / "experiments.db")
    assert mode(local) == "wal" and len(local.runs()) == 1
    local.close()


def test_a_second_machine_is_refused_until_the_first_is_gone(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(shared / "experiments.db")
    here = one_host.platform.node()
    monkeypatch.setattr(one_host.platform, "node", lambda: "login2")
    with pytest.raises(StoreError, match=f"in use on {here}") as refused:
        Store.open(shared / "experiments.db")
    assert here in refused.value.hint and "PostgreSQL" in refused.value.hint
    store.close()
    note = shared / "experiments.db.host"
    long_ago = time.time() - one_host.QUIET_SECONDS - 60
    os.utime(note, (long_ago, long_ago))
    taken = Store.open(shared / "experiments.db")
    assert "now login2" in taken.notice
    taken.close()
    monkeypatch.setattr(one_host.platform, "node", lambda: here)
    with pytest.raises(StoreError, match="in use on login2"):
        Store.open(shared / "experiments.db")


def test_a_machine_that_works_on_keeps_it(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_host, "TOUCH_SECONDS", 0.05)
    store = Store.open(shared / "experiments.db")
    note = shared / "experiments.db.host"
    os.utime(note, (1.0, 1.0))
    deadline = time.monotonic() + 60
    while note.stat().st_mtime < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert note.stat().st_mtime > 2
    store.close()


def test_doctor_knows_the_same_file_systems(shared: Path) -> None:
    found = checks._file_system(str(shared / "experiments.db"))
    assert found.status == "warning" and "nfs4" in found.message and "PostgreSQL" in found.hint
