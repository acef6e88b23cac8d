"""Which database a path or URL names, and the version of its schema."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from workbench.errors import StoreError
from workbench.private import without_secrets
from workbench.store.backend import Backend
from workbench.store.postgres import PostgreSQL
from workbench.store.sqlite import SQLite

VARIABLE = "MLM_WORKBENCH_DB"
DEFAULT = "experiments.db"
SCHEMA_VERSION = "0006"
"""The newest revision in migrations/versions. Known here, so that Alembic is imported only to migrate."""
_POSTGRES = ("postgresql", "postgres")


def locate(location: str | Path | None) -> str:
    """The URL of a path or URL; None: $MLM_WORKBENCH_DB, or experiments.db in the current folder."""
    place = str(location or os.environ.get(VARIABLE) or DEFAULT)
    if "://" in place:
        return place
    return f"sqlite:///{Path(place).expanduser().absolute()}"


def backend_of(location: str | Path | None) -> Backend:
    """The kind of database at a path or URL, as `locate` finds it. Raises StoreError; opens nothing."""
    url = locate(location)
    parsed = _parsed(url)
    kind = parsed.drivername.partition("+")[0]
    if kind in _POSTGRES:
        return PostgreSQL(parsed)
    if kind != "sqlite":
        raise StoreError(
            f"{kind} databases are not supported.", "Use a path (SQLite), or a URL postgresql://…"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError("A database in memory cannot be shared with workers.", "Name a file.")
    return SQLite(url, Path(parsed.database).absolute())


def sqlite_file(url: str) -> Path | None:
    """The file behind a URL; None for a database of a server. Raises StoreError."""
    return backend_of(url).file


def current_version(connection: Connection) -> str | None:
    """The schema version of a database; None if it does not have our tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: the port is no number
        raise StoreError(
            f"{without_secrets(url)} is neither a path nor a database URL.",
            "For example sqlite:///runs.db or postgresql://user@host/database",
        ) from error
