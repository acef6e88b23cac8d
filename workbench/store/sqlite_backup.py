"""Copies of a SQLite store: made while it is in use, one a day and before migrations, and put back."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from workbench.errors import StoreError, UsageError
from workbench.private import file_mode
from workbench.store.sqlite_lock import alone_with

KEPT = 3
"""Automatic copies of each kind that are kept: the newest."""
_DAY = 24 * 3600.0
_SILENT_SECONDS = 120.0
_COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite writes beside a database: it belongs to that database alone."""


def copy_live(source: Path, target: Path) -> None:
    """Copy a database that may be in use to `target`, whole or not at all.

    Raises OSError or sqlite3.Error.
    """
    # an existing backup is always complete; two processes may make it at once
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=file_mode())
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(unfinished)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # a single file, without a -wal file
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def back_up(file: Path, target: Path) -> None:
    """Copy the store at `file` to `target`, which must not exist. Raises UsageError or StoreError."""
    if not file.is_file():
        raise UsageError(f"There is no database {file}.", "Name it with --db PATH.")
    if target.exists():
        raise UsageError(f"{target} exists already.", "Choose another name, or remove it first.")
    try:
        copy_live(file, target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"Cannot copy {file} to {target}: {error}.", "Choose a folder with room that you may write to."
        ) from error


def before_migration(file: Path, revision: str) -> None:
    """Copy the store beside itself before it is migrated from `revision`. Raises OSError or sqlite3.Error."""
    copy_live(file, file.with_name(f"{file.name}.before-{revision}.bak"))
    _prune(file, "before-*")


def once_a_day(file: Path) -> Path | None:
    """Copy the store beside itself, unless that was done within a day; the copy.

    Raises OSError or sqlite3.Error.
    """
    newest = max((_made(path) for path in _copies(file, "daily-*")), default=0.0)
    if time.time() - newest < _DAY:
        return None
    target = file.with_name(f"{file.name}.daily-{time.strftime('%Y-%m-%d')}.bak")
    copy_live(file, target)
    _prune(file, "daily-*")
    return target


def restore(backup: Path, file: Path) -> Path | None:
    """Put `backup` in the place of the store at `file`. Returns the folder in which what was there is kept.

    Raises UsageError when `backup` is not a sound store, StoreError while a run trains or a process has the
    store open.
    """
    _check(backup)
    if file.exists() and backup.samefile(file):
        raise UsageError(f"{backup} is the database itself.", "Name a copy of it.")
    _refuse_while_runs_train(file)
    staged = file.with_name(f"{file.name}.restored")
    try:
        copy_live(backup, staged)
        if not file.exists():
            for end in _COMPANIONS:  # of a database that is gone
                file.with_name(f"{file.name}{end}").unlink(missing_ok=True)
            staged.rename(file)
            return None
        with alone_with(file) as handle:
            if handle is None:
                raise StoreError(
                    f"{file} is in use.",
                    "Stop the runs that train, close every mlm-workbench that uses it, and try again.",
                )
            kept = _keep(file)
            staged.rename(file)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"Cannot restore {file}: {error}.", "Make room, or check permissions.") from error
    finally:
        staged.unlink(missing_ok=True)
    return kept


def is_sound(file: Path) -> bool:
    """Whether SQLite finds nothing wrong with a database, read as one that is at rest."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            return [row[0] for row in connection.execute("PRAGMA quick_check(1)")] == ["ok"]
    except sqlite3.Error:
        return False


def _check(backup: Path) -> None:
    if not backup.is_file():
        raise UsageError(f"There is no file {backup}.")
    try:
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            messages = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
            connection.execute("SELECT version_num FROM alembic_version, run LIMIT 1").fetchall()
    except sqlite3.Error as error:
        raise UsageError(f"{backup} is not a store of runs: {error}.") from error
    if messages != ["ok"]:
        raise UsageError(f"{backup} is damaged: {messages[0]}.", "Restore an older copy.")


def _refuse_while_runs_train(file: Path) -> None:
    """On a network file system a process that has the database open does not hold its lock all the time."""
    query = "SELECT id, name FROM run WHERE status = 'running' AND heartbeat_at > ?"
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute(query, (time.time() - _SILENT_SECONDS,)).fetchone()
    except sqlite3.Error:  # it is damaged, or not there
        return
    if found is not None:
        raise StoreError(
            f"Run {found[0]} {found[1]} trains.", f"Stop it first: mlm-workbench stop {found[0]}"
        )


def _keep(file: Path) -> Path:
    """Move the database with what belongs to it into a folder beside it."""
    folder = file.with_name(f"{file.name}.before-restore-{time.strftime('%Y-%m-%d-%H%M%S')}")
    folder.mkdir(mode=0o700)
    for path in [file, *(file.with_name(f"{file.name}{end}") for end in _COMPANIONS)]:
        with contextlib.suppress(FileNotFoundError):
            path.rename(folder / path.name)
    return folder


def _copies(file: Path, kind: str) -> list[Path]:
    return sorted(file.parent.glob(f"{_escaped(file.name)}.{kind}.bak"), key=_made)


def _made(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _prune(file: Path, kind: str) -> None:
    for path in _copies(file, kind)[:-KEPT]:
        with contextlib.suppress(OSError):
            path.unlink()


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
