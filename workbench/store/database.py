"""The database: engine, sessions, writes, readable errors, and the location of the runs' files."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session, SQLModel

from workbench.errors import StoreError
from workbench.store.backend import Backend, ConflictError, Watcher
from workbench.store.engine import SCHEMA_VERSION, backend_of, current_version
from workbench.store.places import INFO, Places
from workbench.store.run_folders import RunFolders

AT_ONCE = 500
"""Ids per query: databases have a limit, and screens need the interpreter between two queries."""


P = ParamSpec("P")
T = TypeVar("T")
_TRIES = 6


class Database:
    """One open database. Several threads may use it."""

    def __init__(self, backend: Backend, engine: Engine) -> None:
        self.backend = backend
        self.engine = engine
        self.url = backend.url
        self._watcher: Watcher | None = None
        self.folders = RunFolders(backend, engine)
        self._places: Places | None = Places(backend.file, self.folders)

    @classmethod
    def open(cls, location: str | Path | None) -> Database:
        """See `Store.open`."""
        backend = backend_of(location)
        database = cls(backend, backend.open_engine())
        try:
            with database._explained(opening=True):
                with database.engine.connect() as connection:
                    version = current_version(connection)
                if version != SCHEMA_VERSION:
                    from workbench.store.migrate import bring_up_to_date

                    bring_up_to_date(backend, database.engine)
        except StoreError:
            database.close()
            raise
        return database

    def take_paths_as_stored(self) -> None:
        """The runs' files lie where the database says, wherever it lies itself."""
        self._places = None

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        self.engine.dispose()
        self.backend.release()

    @property
    def location(self) -> str:
        """A path or a URL without secrets, for display."""
        return self.backend.location

    @property
    def file(self) -> Path | None:
        """The database file; None for a server."""
        return self.backend.file

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session whose objects remain readable after it ends.

        The paths of runs in them are the current ones (see `places`). Raises StoreError for the database's
        own errors.
        """
        info = {INFO: self._places}
        with self._explained(), Session(self.engine, expire_on_commit=False, info=info) as session:
            yield session

    def insert(self, table: type[SQLModel]) -> Any:
        """An INSERT with conflict clauses, which differ between databases."""
        return self.backend.insert(table)

    def take_turns(self, session: Session) -> None:
        """Block other processes here until the session's transaction ends, so that reads and writes in it are
        consistent.
        """
        self.backend.take_turns(session)

    def write(self, statement: Any, rows: Sequence[dict[str, Any]] | None = None) -> int:
        """Execute a statement, once or for each of `rows`, and commit. Returns the number of changed rows.

        What was committed while the connection was lost is not an error. Raises StoreError for the database's
        own errors.
        """
        return retried(self._write)(statement, rows)

    def _write(self, statement: Any, rows: Sequence[dict[str, Any]] | None) -> int:
        changed = 0
        with self._explained():
            try:
                with self.engine.begin() as connection:
                    changed = int(connection.execute(statement, rows).rowcount)
            except DBAPIError as error:
                if not (error.connection_invalidated and self.backend.was_committed(self.engine)):
                    raise
        return changed

    def data_version(self) -> int:
        """A number that changes when another connection commits. Raises StoreError."""
        if self._watcher is None:
            self._watcher = self.backend.watch(self.engine)
        with self._explained():
            return self._watcher.look()

    def integrity_problems(self) -> list[str]:
        """Problems of the stored data; empty if there are none, or the database checks itself."""
        return self.backend.problems(self.engine)

    @contextmanager
    def _explained(self, *, opening: bool = False) -> Iterator[None]:
        """Turn the database's own errors into StoreError."""
        try:
            yield
        except DBAPIError as error:
            raise self.backend.explain(error, opening=opening) from error
        except StaleDataError as error:
            message = f"Another process changed the same rows in {self.location} meanwhile."
            raise ConflictError(message, "Try again.") from error
        except PoolTimeout as error:
            raise StoreError(
                f"This program's connections to {self.location} are all busy.", "Try again."
            ) from error


class Queries:
    """Base class of the groups of queries."""

    def __init__(self, database: Database) -> None:
        self.database = database


def in_parts(ids: Collection[int]) -> Iterator[list[int]]:
    """The ids in ascending order, in lists of at most AT_ONCE."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]


def retried(method: Callable[P, T]) -> Callable[P, T]:
    """`method`, retried after conflicts: a server ends a deadlock by rolling back one of the two
    transactions.

    Only for methods with a single transaction.
    """

    @wraps(method)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, _TRIES):
            try:
                return method(*args, **kwargs)
            except ConflictError:
                time.sleep(random.uniform(0, 0.02 * 2**attempt))
        return method(*args, **kwargs)

    return again
