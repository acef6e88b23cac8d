"""What each kind of database does in its own way; the rest of the store is the same SQL for all."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from workbench.errors import StoreError


class ConflictError(StoreError):
    """Two transactions were in each other's way, and this one was undone: the same again may work."""


class Watcher(Protocol):
    """Notices the commits of other connections, at the price of one cheap query per look."""

    def look(self) -> int:
        """A number that changes when another connection has committed."""

    def close(self) -> None:
        """Close the watcher's own connection."""


class Backend(Protocol):
    """One kind of database at one URL."""

    url: str
    """For SQLAlchemy, with its password if it has one: it is never shown."""

    @property
    def file(self) -> Path | None:
        """The database file; None for a server."""

    @property
    def name(self) -> str:
        """The file's name, or the database's on its server."""

    @property
    def location(self) -> str:
        """The database as a person would name it: a path, or a URL without secrets."""

    def may_be(self, other: Backend) -> bool:
        """Whether the two may be the same database. Raises OSError."""

    def open_engine(self) -> Engine:
        """An engine. Raises StoreError when the URL is not a database; nothing is changed then."""

    @property
    def notice(self) -> str:
        """What a person should be told once about where the database lies; "": nothing."""

    def release(self) -> None:
        """The database is closed."""

    def be_patient(self, seconds: float) -> None:
        """From now on, wait so long for a server that does not answer: it may be restarting."""

    def migration(self, engine: Engine) -> AbstractContextManager[Connection]:
        """One transaction that only one process at a time can be in."""

    def back_up(self, revision: str) -> None:
        """Copy the database before a migration from `revision`, where that can be done. Raises StoreError."""

    def back_up_daily(self) -> None:
        """Copy the database once a day, where that can be done. Raises StoreError."""

    def explain(self, error: DBAPIError, *, opening: bool = False) -> StoreError:
        """The database's own error in plain words. `opening`: it was met while the store was opened."""

    def take_turns(self, session: Session) -> None:
        """Until this session's transaction ends, no other one passes this point: to read and then write what
        must stay unique."""

    def insert(self, table: type[SQLModel]) -> Any:
        """An INSERT that has `on_conflict_do_nothing` and `on_conflict_do_update`."""

    def watch(self, engine: Engine) -> Watcher:
        """A watcher of the database."""

    def was_committed(self, engine: Engine) -> bool:
        """Whether this thread's last transaction was committed, though its connection was lost meanwhile."""

    def problems(self, engine: Engine) -> list[str]:
        """What is wrong with the stored data; empty: nothing, or it cannot be known from here."""

    def run_names(self, most: int) -> list[tuple[int, str]]:
        """Id and name of the newest runs, read quickly and without changing anything, or any exception."""
