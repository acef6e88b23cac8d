"""Open the database: SQLite in WAL mode, or another SQLAlchemy URL."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlmodel import create_engine

from workbench.errors import StoreError
from workbench.private import file_mode, make_folder

VARIABLE = "MLM_WORKBENCH_DB"
DEFAULT = "experiments.db"
SCHEMA_VERSION = "0004"
"""The newest revision in migrations/versions. Known here, so that Alembic is imported only to migrate."""
_SMALLEST_PAGE = 512
BUSY_SECONDS = 60.0
"""How long a writer waits for another one before it gives up."""


def locate(location: str | Path | None) -> str:
    """The URL of a path or URL; None: $MLM_WORKBENCH_DB, or experiments.db in the current folder."""
    place = str(location or os.environ.get(VARIABLE) or DEFAULT)
    if "://" in place:
        return place
    return f"sqlite:///{Path(place).expanduser().absolute()}"


def current_version(connection: Connection) -> str | None:
    """The schema version that a database is at; None for one that has no tables of ours yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)


def sqlite_file(url: str) -> Path | None:
    """The file behind a SQLite URL; None for another kind of database."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"{url} is no path and no database URL.", "For example sqlite:///runs.db") from error
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError("A database in memory cannot be shared with workers.", "Name a file.")
    return Path(parsed.database).absolute()


def open_engine(url: str) -> Engine:
    """An engine on `url`. Raises StoreError when it is not a database; the file is then left as it is."""
    file = sqlite_file(url)
    if file is None:
        try:
            return create_engine(url)
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise StoreError(f"No driver for {url} is installed: {error}.") from error
    _prepare_file(file)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _prepare_file(file: Path) -> None:
    """Make the folder and the file, private to their user; refuse what is not a database.

    A file that is there is looked at by SQLite alone: when a process closes a file by other means, it loses
    the locks that SQLite holds on it, and two processes may then damage it.
    """
    try:
        make_folder(file.parent)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, file_mode()))
            return
        if not os.access(file, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise StoreError(
            f"Cannot open the database {file}: {error.strerror}.",
            "Choose another place with --db PATH or MLM_WORKBENCH_DB.",
        ) from error
    if _is_something_else(file):
        raise StoreError(
            f"{file} is not a SQLite database; it was left as it is.",
            "Choose another file with --db PATH, or move this one away.",
        )


def _is_something_else(file: Path) -> bool:
    if 0 < file.stat().st_size < _SMALLEST_PAGE:
        return True  # SQLite would take a few bytes for an empty database
    try:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError as error:
        # any other trouble is met again, and told, when the schema is looked at
        return error.sqlite_errorcode == sqlite3.SQLITE_NOTADB
    return False


def _set_pragmas(connection: sqlite3.Connection, record: Any) -> None:
    cursor = connection.cursor()
    # NORMAL loses no commit when a process is killed; only when the machine loses power, the newest.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
