"""The SQLite backend, for one person on one machine."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, create_engine

from workbench.errors import StoreError
from workbench.mounts import file_system_of
from workbench.private import file_mode, make_folder
from workbench.store.backend import Backend
from workbench.store.foreign_wal import set_foreign_wal_aside
from workbench.store.json_text import as_json, from_json
from workbench.store.one_host import Hold
from workbench.store.sqlite_backup import before_migration, once_a_day
from workbench.store.sqlite_lock import closed, opened

BUSY_SECONDS = 60.0
"""How long a writer waits for another writer."""
_SMALLEST_PAGE = 512
_NAMES_SECONDS = 1.0
_ELSEWHERE = "Choose another place with --db PATH or MLM_WORKBENCH_DB."


class SQLite:
    """A database file, in WAL mode. A `Backend`."""

    def __init__(self, url: str, file: Path) -> None:
        self.url = url
        self._file = file
        self._hold: Hold | None = None

    @property
    def file(self) -> Path:
        """The database file."""
        return self._file

    @property
    def name(self) -> str:
        """The file's name."""
        return self._file.name

    @property
    def location(self) -> str:
        """The path, from the current folder if it lies there."""
        here = Path.cwd()
        return str(self._file.relative_to(here) if self._file.is_relative_to(here) else self._file)

    def may_be(self, other: Backend) -> bool:
        """Whether the two are the same file; True if this one is gone, since that cannot be known."""
        if other.file is None:
            return False
        return not self._file.is_file() or self._file.samefile(other.file)

    def open_engine(self) -> Engine:
        """An engine. Raises StoreError, leaving the file unchanged, when it is not a database."""
        system = file_system_of(self._file)
        on_network = system is not None and system.is_network
        if system is not None and on_network:
            with contextlib.suppress(OSError):  # told when the file is made
                make_folder(self._file.parent)
                self._hold = Hold(self._file, system.kind)
        _prepare_file(self._file)
        file = self._file
        engine = create_engine(
            self.url,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            json_serializer=as_json,
            json_deserializer=from_json,
        )
        event.listen(engine, "connect", lambda *_: opened(file))
        event.listen(engine, "close", lambda *_: closed(file))
        event.listen(engine, "connect", _set_network_pragmas if on_network else _set_pragmas)
        return engine

    @property
    def notice(self) -> str:
        """That the file is on a network, for the first process of a machine that opens it."""
        return self._hold.notice if self._hold is not None and self._hold.is_first else ""

    def release(self) -> None:
        """Let other machines have the file, some time after the last process of this one."""
        if self._hold is not None:
            self._hold.release()

    def be_patient(self, seconds: float) -> None:
        """A file is always there; for another writer it is waited in any case (BUSY_SECONDS)."""

    @contextmanager
    def migration(self, engine: Engine) -> Iterator[Connection]:
        """One transaction that holds the write lock from its start."""
        with engine.connect() as connection:
            # pysqlite would begin the transaction at the first INSERT, after CREATE TABLE
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            usual = driver.isolation_level
            driver.isolation_level = None
            connection.execute(text("BEGIN IMMEDIATE"))
            try:
                yield connection
                driver.execute("COMMIT")
            except BaseException:
                driver.execute("ROLLBACK")
                raise
            finally:
                driver.isolation_level = usual

    def back_up(self, revision: str) -> None:
        """Copy the file beside itself. Raises StoreError, the file unchanged, if that fails."""
        try:
            before_migration(self._file, revision)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"Cannot back up {self._file} before its migration: {error}; it was left as it is.",
                "Make room there, or give the folder write permission.",
            ) from error

    def back_up_daily(self) -> None:
        """Copy the file beside itself once a day. Raises StoreError."""
        try:
            once_a_day(self._file)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"Cannot back up {self._file}: {error}.", "Make room there.") from error

    def explain(self, error: DBAPIError, *, opening: bool = False) -> StoreError:
        """SQLite's error in plain words."""
        reason = str(error.orig)
        if opening:
            return StoreError(
                f"Cannot use the database {self.location}: {reason}.",
                "If it is damaged, `mlm-workbench restore FILE` puts a backup in its place; some lie beside "
                "it (*.bak). --db PATH chooses another.",
            )
        hint = ""
        if "locked" in reason:
            hint = "Another process has locked the database; try again later."
        elif "full" in reason:
            hint = "Make room on the disk."
        elif "readonly" in reason:
            hint = "The file or its folder is not writable: change its permissions, or use --db PATH."
        return StoreError(f"The database refused: {reason}.", hint)

    def take_turns(self, session: Session) -> None:
        """SQLite has one writer at a time: a transaction that has written is alone already."""

    def insert(self, table: type[SQLModel]) -> Any:
        """The dialect's own."""
        return sqlite.insert(table)

    def watch(self, engine: Engine) -> _DataVersion:
        """By SQLite's own counter of commits."""
        return _DataVersion(engine)

    def was_committed(self, engine: Engine) -> bool:
        """False: a file's connection is not lost."""
        return False

    def problems(self, engine: Engine) -> list[str]:
        """What is wrong with the file; empty: nothing."""
        with engine.connect() as connection:
            messages = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
            messages += [
                f"dangling row in {row[0]}" for row in connection.execute(text("PRAGMA foreign_key_check"))
            ]
        return [line for line in messages if line != "ok"]

    def run_names(self, most: int) -> list[tuple[int, str]]:
        """None where there is no file. Raises sqlite3.Error for one that is damaged, locked, or of another
        version."""
        if not self._file.is_file():
            return []
        uri = f"{self._file.as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_NAMES_SECONDS)) as connection:
            query = "SELECT id, name FROM run WHERE deleted_at IS NULL ORDER BY id DESC LIMIT ?"
            return [(int(run_id), str(name)) for run_id, name in connection.execute(query, (most,))]


class _DataVersion:
    """A `Watcher` of a file."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def look(self) -> int:
        return int(self._connection.execute(text("PRAGMA data_version")).scalar_one())

    def close(self) -> None:
        self._connection.close()


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
        raise StoreError(f"Cannot open the database {file}: {error.strerror}.", _ELSEWHERE) from error
    set_foreign_wal_aside(file)
    if _is_not_sqlite(file):
        raise StoreError(
            f"{file} is not a SQLite database; it was left as it is.",
            "Choose another file with --db PATH, or move this one away.",
        )


def _is_not_sqlite(file: Path) -> bool:
    if 0 < file.stat().st_size < _SMALLEST_PAGE:
        return True  # SQLite would take a few bytes for an empty database
    try:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError as error:
        # other errors occur again, and are reported, when the schema version is read
        return error.sqlite_errorcode == sqlite3.SQLITE_NOTADB
    return False


def _set_pragmas(connection: sqlite3.Connection, record: Any) -> None:
    # NORMAL loses no commit when a process is killed; a power failure may lose the newest ones.
    _set(connection, "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON")


def _set_network_pragmas(connection: sqlite3.Connection, record: Any) -> None:
    # WAL needs memory that all processes share, which a network file system does not give
    _set(connection, "journal_mode = TRUNCATE", "synchronous = FULL", "foreign_keys = ON")


def _set(connection: sqlite3.Connection, *pragmas: str) -> None:
    # a byte that is not UTF-8 must not make the whole table unreadable
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
