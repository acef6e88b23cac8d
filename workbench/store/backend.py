"""The interface of a database backend: everything that is not the same SQL for all databases."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from workbench.errors import StoreError


class ConflictError(StoreError):
    """Two transactions conflicted and this one was rolled back: a retry may succeed."""


class Watcher(Protocol):
    """Detects commits of other connections, with one cheap query per call."""

    def look(self) -> int:
        """A number that changes when another connection commits."""

    def close(self) -> None:
        """Close the watcher's own connection."""


class Backend(Protocol):
    """One kind of database at one URL."""

    url: str
    """The SQLAlchemy URL, with its password if it has one: never shown."""

    @property
    def file(self) -> Path | None:
        """The database file; None for a server."""

    @property
    def name(self) -> str:
        """The name of the file, or of the server's database."""

    @property
    def location(self) -> str:
        """A path or a URL without secrets, for display."""

    def may_be(self, other: Backend) -> bool:
        """Whether the two may be the same database. Raises OSError."""

    def open_engine(self) -> Engine:
        """An engine. Raises StoreError, changing nothing, when the URL is not a database."""

    @property
    def notice(self) -> str:
        """A notice about the database's location, shown once; "" for none."""

    def release(self) -> None:
        """Called when the database is closed."""

    def be_patient(self, seconds: float) -> None:
        """From now on, wait this long for a server that does not answer: it may be restarting."""

    def migration(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A transaction that only one process at a time can enter."""

    def back_up(self, revision: str) -> None:
        """Copy the database before a migration from `revision`, if possible. Raises StoreError."""

    def back_up_daily(self) -> None:
        """Copy the database once a day, if possible. Raises StoreError."""

    def explain(self, error: DBAPIError, *, opening: bool = False) -> StoreError:
        """A readable error for the database's own. `opening`: it occurred while the store was opened."""

    def take_turns(self, session: Session) -> None:
        """Block other sessions here until this session's transaction ends, to read and then write values that
        must stay unique.
        """

    def insert(self, table: type[SQLModel]) -> Any:
        """An INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`."""

    def watch(self, engine: Engine) -> Watcher:
        """A watcher of the database."""

    def was_committed(self, engine: Engine) -> bool:
        """Whether this thread's last transaction was committed although its connection was lost."""

    def problems(self, engine: Engine) -> list[str]:
        """Problems of the stored data; empty if there are none, or they cannot be detected from here."""

    def run_names(self, most: int) -> list[tuple[int, str]]:
        """Ids and names of the newest runs, read quickly and without changes. May raise any exception."""
