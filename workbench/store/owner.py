"""Finds out which of several databases a run's files belong to.

A database that is copied beside its original (`cp a.db b.db`) shares the folder `runs` with it, and has the
same runs. The files of a run belong to the database that created it, or that trained it first.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from workbench.errors import StoreError

OWNER = "database"
"""The file in a run's folder with the name of its database file, which is beside `runs`; for a server's
database, `postgresql:` and its name."""
_SERVER = "postgresql:"


def claim(folder: Path, run_id: int, database: Path) -> None:
    """Mark a run's folder as belonging to a database, unless it belongs to another one that has this run.

    Raises StoreError.
    """
    other = owner(folder, run_id, database)
    if other is not None:
        raise StoreError(
            f"The files of run {run_id} in {folder} belong to {other}, of which {database.name} is a copy.",
            f"Use --db {other}, or put {database.name} into another folder, with a copy of {folder.parent}.",
        )
    _mark(folder, database.name)


def claim_for_server(folder: Path, run_id: int, database: str) -> None:
    """The same for a database on a server: a restored dump refers to the folders of its original."""
    other = server_owner(folder, database)
    if other is not None:
        raise StoreError(
            f"The files of run {run_id} in {folder} belong to the database {other}; {database} is its copy.",
            f"Use {other}. If it was renamed to {database}, remove {folder / OWNER}.",
        )
    _mark(folder, f"{_SERVER}{database}")


def server_owner(folder: Path, database: str) -> str | None:
    """The other database of a server that a run's folder belongs to; None if there is none."""
    name = _named(folder / OWNER)
    is_others = name.startswith(_SERVER) and name != f"{_SERVER}{database}"
    return name.removeprefix(_SERVER) if is_others else None


def _mark(folder: Path, name: str) -> None:
    with contextlib.suppress(OSError):  # writing the run's files will report the error
        mark = folder / OWNER
        if _named(mark) != name:
            mark.write_text(f"{name}\n", encoding="utf-8")


def owner(folder: Path, run_id: int, database: Path) -> Path | None:
    """The other database that a run's folder belongs to; None if there is none."""
    name = _named(folder / OWNER)
    if not name or Path(name).name != name:
        return None
    other = folder.parent.parent / name
    try:
        is_other = other.is_file() and not (database.exists() and other.samefile(database))
    except OSError:
        return None
    return other if is_other and _has_run(other, run_id, folder.name) else None


def _named(mark: Path) -> str:
    try:
        return mark.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _has_run(database: Path, run_id: int, folder: str) -> bool:
    """Whether a database has a run with that id in a folder of that name; True if it cannot be read."""
    try:
        place = f"file:{quote(str(database))}?mode=ro"
        with contextlib.closing(sqlite3.connect(place, uri=True, timeout=5)) as connection:
            row = connection.execute("SELECT folder FROM run WHERE id = ?", (run_id,)).fetchone()
    except sqlite3.Error:
        return True
    return row is not None and Path(str(row[0])).name == folder
