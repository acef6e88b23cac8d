"""Notice a write-ahead log that does not belong to the database beside it.

After a crash the log (`-wal`) holds the newest commits, and SQLite replays it at the next opening. If a
backup was put in the database's place meanwhile, SQLite replays the log over it all the same, and ruins it.
So this is tried on copies first.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path

from workbench.store.sqlite_backup import is_sound
from workbench.store.sqlite_lock import alone_with

log = logging.getLogger(__name__)

_PART = 1 << 20
_HEADER = 32
"""Bytes of a log that holds nothing."""


def set_foreign_wal_aside(file: Path) -> Path | None:
    """Rename the log beside a database if it would damage the database; its new name.

    Only a log that a crash left behind is looked at: while a process has the database open, it is its log.
    """
    wal = file.with_name(f"{file.name}-wal")
    try:
        if wal.stat().st_size <= _HEADER:
            return None
        with alone_with(file) as handle:
            if handle is None or not _ruins(wal, handle):
                return None
            aside = _free_name(wal)
            wal.rename(aside)
            file.with_name(f"{file.name}-shm").unlink(missing_ok=True)
    except OSError:
        return None  # SQLite meets it as well, and says what is wrong
    log.warning(
        "%s does not belong to %s, which was replaced since it was written: it is kept as %s.",
        wal.name,
        file,
        aside.name,
    )
    return aside


def _ruins(wal: Path, database: int) -> bool:
    """Whether the database that is open as `database` is sound by itself, and damaged with the log."""
    with tempfile.TemporaryDirectory(prefix="mlm-workbench-") as folder:
        copy = Path(folder) / "copy.db"
        _copy(database, copy)
        shutil.copyfile(wal, copy.with_name("copy.db-wal"))
        if is_sound(copy):
            return False
        copy.with_name("copy.db-wal").unlink(missing_ok=True)
        copy.with_name("copy.db-shm").unlink(missing_ok=True)
        _copy(database, copy)
        return is_sound(copy)


def _copy(source: int, target: Path) -> None:
    with target.open("wb") as written:
        at = 0
        while part := os.pread(source, _PART, at):
            written.write(part)
            at += len(part)


def _free_name(wal: Path) -> Path:
    number = 1
    while (aside := wal.with_name(f"{wal.name}.foreign-{number}")).exists():
        number += 1
    return aside
