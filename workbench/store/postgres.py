"""The PostgreSQL backend, for teams."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, create_engine

from workbench.errors import StoreError
from workbench.store.backend import Backend
from workbench.store.json_text import as_json
from workbench.store.postgres_errors import in_words

SLOTS = 64
"""Rows of the table `change_count`. Each client counts its commits in one of them, so that clients rarely
wait for each other."""
_LOCKS = 0x6D6C6D77
"""Advisory locks (_LOCKS, n) are this program's."""
_MIGRATE, _TAKE_TURNS = 1, 2
_UNCOUNTED = "workbench_uncounted"
_CONNECT_SECONDS = 10
_NAMES_SECONDS = 2
_ANSWER_SECONDS = 60.0
"""How long to ask a server that restarts whether it committed."""
_AGAIN_SECONDS = 0.5
_CONNECTING: dict[str, Any] = {
    "application_name": "mlm-workbench",
    "connect_timeout": _CONNECT_SECONDS,
    "client_encoding": "utf8",
    # detect within about a minute that the network is gone
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


class PostgreSQL:
    """A database of a PostgreSQL server. A `Backend`."""

    file = None

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+psycopg")
        self.url = self._url.render_as_string(hide_password=False)
        self._slot = secrets.randbelow(SLOTS)
        self._last = threading.local()
        self._patience = 0.0

    @property
    def name(self) -> str:
        """The database's name."""
        return self._url.database or self._url.username or ""

    @property
    def location(self) -> str:
        """The URL without password and options, which may hold secrets too."""
        plain = URL.create("postgresql", self._url.username, None, self._url.host, self._url.port)
        return f"{plain.render_as_string()}/{self._url.database or ''}"

    def may_be(self, other: Backend) -> bool:
        """Whether the databases have the same name: a server has several addresses."""
        return isinstance(other, PostgreSQL) and other.name == self.name

    def open_engine(self) -> Engine:
        """An engine, which connects later. Raises StoreError if no driver is installed."""
        # One process of a team needs few connections, and a server has about a hundred. A connection is tried
        # before it is used: after a restart of the server the pool's are dead.
        engine = self._engine(pool_size=2, max_overflow=10, pool_pre_ping=True)
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "connect", self._greet)
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._count)
        return engine

    def _engine(self, connect_timeout: int = _CONNECT_SECONDS, **options: Any) -> Engine:
        given = {**_CONNECTING, "connect_timeout": connect_timeout}
        arguments = {name: value for name, value in given.items() if name not in self._url.query}
        # a pooler between here and the server does not know of prepared statements
        arguments["prepare_threshold"] = None
        try:
            return create_engine(
                self._url,
                connect_args=arguments,
                isolation_level="READ COMMITTED",
                json_serializer=as_json,
                **options,
            )
        except ModuleNotFoundError as error:
            raise StoreError(
                "PostgreSQL needs the package psycopg, which is not installed.",
                "Install it: pip install 'mlm-workbench[postgres]'",
            ) from error

    @property
    def notice(self) -> str:
        """Nothing."""
        return ""

    def release(self) -> None:
        """Nothing is held."""

    def be_patient(self, seconds: float) -> None:
        """From now on, wait so long for a server that does not answer."""
        self._patience = seconds

    def _connect(self, dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return dialect.connect(*arguments, **named)
            except dialect.dbapi.OperationalError:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(_AGAIN_SECONDS)

    def _greet(self, connection: Any, record: Any) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreError(
                f"The database {self.location} is encoded in {encoding}; texts need UTF-8.",
                "Create another: createdb --encoding UTF8 --template template0 NAME",
            )

    def _begin(self, connection: Connection) -> None:
        self._last.transaction = None

    def _count(self, connection: Connection) -> None:
        """Count a commit, as its last statement: whoever waits for a slot waits only for a commit, so there
        is no deadlock.
        """
        if connection.get_execution_options().get(_UNCOUNTED):
            return
        counted = connection.exec_driver_sql(
            "UPDATE change_count SET count = count + 1 WHERE slot = %s RETURNING txid_current()",
            (self._slot,),
        )
        self._last.transaction = counted.scalar()

    @contextmanager
    def migration(self, engine: Engine) -> Iterator[Connection]:
        """One transaction under an advisory lock; others wait for it, as long as it takes."""
        with engine.connect().execution_options(**{_UNCOUNTED: True}) as connection, connection.begin():
            for name in ("statement_timeout", "lock_timeout"):
                connection.execute(text(f"SET LOCAL {name} = 0"))
            _lock(connection, _MIGRATE)
            yield connection

    def back_up(self, revision: str) -> None:
        """Nothing is copied: that takes pg_dump, which is up to the owner. The migration is one transaction:
        it happens whole or not at all.
        """

    def back_up_daily(self) -> None:
        """Nothing is copied: that takes pg_dump."""

    def explain(self, error: DBAPIError, *, opening: bool = False) -> StoreError:
        """A readable error for the server's or the driver's."""
        return in_words(error, self.location, self._url.username)

    def take_turns(self, session: Session) -> None:
        """Uses an advisory lock until the transaction's end."""
        _lock(session.connection(), _TAKE_TURNS)

    def insert(self, table: type[SQLModel]) -> Any:
        """The dialect's INSERT."""
        return postgresql.insert(table)

    def watch(self, engine: Engine) -> _ChangeCount:
        """Uses the table `change_count`."""
        return _ChangeCount(engine)

    def was_committed(self, engine: Engine) -> bool:
        """Asks the server, and waits while it restarts."""
        transaction = getattr(self._last, "transaction", None)
        if transaction is None:
            return False
        deadline = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < deadline:
            with suppress(DBAPIError), engine.connect() as connection:
                status = connection.execute(text("SELECT txid_status(:id)"), {"id": transaction}).scalar()
                if status != "in progress":
                    return bool(status == "committed")
            time.sleep(_AGAIN_SECONDS)
        return False

    def problems(self, engine: Engine) -> list[str]:
        """None are looked for: the server checks its own files, and holds the rows to their foreign keys."""
        return []

    def run_names(self, most: int) -> list[tuple[int, str]]:
        """See `Backend`. Raises StoreError and the driver's errors."""
        engine = self._engine(connect_timeout=_NAMES_SECONDS, poolclass=NullPool)
        query = text("SELECT id, name FROM run WHERE deleted_at IS NULL ORDER BY id DESC LIMIT :most")
        with engine.connect() as connection:
            return [(int(row[0]), str(row[1])) for row in connection.execute(query, {"most": most})]


class _ChangeCount:
    """A `Watcher` of a server. It has a connection of its own, which is not tried before each look."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def look(self) -> int:
        try:
            return self._look()
        except DBAPIError as error:
            self.close()
            if not error.connection_invalidated:
                raise
            return self._look()  # the server was restarted meanwhile

    def _look(self) -> int:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return int(self._connection.execute(text("SELECT sum(count) FROM change_count")).scalar() or 0)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _lock(connection: Connection, number: int) -> None:
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:ours, :number)"), {"ours": _LOCKS, "number": number}
    )
