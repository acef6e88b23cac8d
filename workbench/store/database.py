"""The database: its engine, sessions and writes, its errors in plain words, and where the runs' files lie."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from workbench.errors import StoreError
from workbench.store.engine import SCHEMA_VERSION, current_version, locate, open_engine, sqlite_file
from workbench.store.places import INFO, Places

AT_ONCE = 500
"""Ids in one query: databases have a limit, and a screen may have to answer between two queries."""


class Database:
    """One open database. Several threads may use it."""

    def __init__(self, engine: Engine, url: str) -> None:
        self.engine = engine
        self.url = url
        self._watcher: Connection | None = None
        self._places = Places(sqlite_file(url), self.runs_folder)

    @classmethod
    def open(cls, location: str | Path | None) -> Database:
        """Open a database as `Store.open` does, and raise the same errors."""
        url = locate(location)
        database = cls(open_engine(url), url)
        try:
            with database.engine.connect() as connection:
                version = current_version(connection)
            if version != SCHEMA_VERSION:
                from workbench.store.migrate import bring_up_to_date

                bring_up_to_date(database.engine)
        except DatabaseError as error:
            database.close()
            raise StoreError(
                f"The database {database.location} cannot be used: {error.orig}.",
                "If it is damaged, put a copy in its place; another is chosen with --db PATH.",
            ) from error
        except StoreError:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close all connections."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        self.engine.dispose()

    @property
    def location(self) -> str:
        """The database as a person would name it: a path, or a URL without its password."""
        file = sqlite_file(self.url)
        if file is None:
            return self.engine.url.render_as_string(hide_password=True)
        return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)

    @property
    def file(self) -> Path | None:
        """The database file; None for a server."""
        return sqlite_file(self.url)

    @property
    def runs_folder(self) -> Path:
        """Where the runs' files lie: `runs` beside the database file, or in the current folder."""
        file = self.file
        return (file.parent if file else Path.cwd()) / "runs"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session whose objects stay readable after it: they show what was stored when they were read,
        except that the paths of runs are those where their files lie now (see `places`).

        Raises StoreError for the database's own errors.
        """
        info = {INFO: self._places}
        with _explained(), Session(self.engine, expire_on_commit=False, info=info) as session:
            yield session

    def write(self, statement: Any, rows: Sequence[dict[str, Any]] | None = None) -> int:
        """Execute a statement, once or for each of `rows`, and commit. Returns how many rows it changed.

        Raises StoreError for the database's own errors.
        """
        with _explained(), self.engine.begin() as connection:
            return int(connection.execute(statement, rows).rowcount)

    def data_version(self) -> int:
        """A number that changes when any other connection has committed: SQLite's data_version.

        For another kind of database, a number that changes at every call.
        """
        if self.engine.dialect.name != "sqlite":
            return time.monotonic_ns()
        if self._watcher is None:
            self._watcher = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return int(self._watcher.execute(text("PRAGMA data_version")).scalar_one())

    def integrity_problems(self) -> list[str]:
        """What is wrong with the database file; empty: nothing."""
        if self.engine.dialect.name != "sqlite":
            return []
        with self.engine.connect() as connection:
            found = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
            found += [
                f"dangling row in {row[0]}" for row in connection.execute(text("PRAGMA foreign_key_check"))
            ]
        return [line for line in found if line != "ok"]


class Queries:
    """The base of the classes that each ask the database one kind of question."""

    def __init__(self, database: Database) -> None:
        self.database = database


def in_parts(ids: Collection[int]) -> Iterator[list[int]]:
    """The ids in ascending order, at most AT_ONCE at a time."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the database's own errors into StoreError."""
    try:
        yield
    except DatabaseError as error:
        reason = str(error.orig)
        hint = ""
        if "locked" in reason:
            hint = "Another process holds the database; try again when it is done."
        elif "full" in reason:
            hint = "Make room on the disk."
        elif "readonly" in reason:
            hint = "The file or its folder cannot be written: change its permissions, or use --db PATH."
        raise StoreError(f"The database refused: {reason}.", hint) from error
