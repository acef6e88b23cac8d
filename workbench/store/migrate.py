"""Bring a database up to date, one revision after the other; refuse one from the future."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from workbench.errors import StoreError
from workbench.private import file_mode
from workbench.store.engine import current_version, sqlite_file

MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(engine: Engine) -> None:
    """Migrate to the newest revision, all in one transaction. A copy is made beside a database that changes.

    Raises StoreError, the database untouched, when a newer version of the program made it.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    with _exclusive(engine) as connection:
        current = current_version(connection)
        if current == newest:  # another process was first
            return
        if current is not None:
            _refuse_unknown(scripts, current, engine)
            _back_up(engine, current)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _exclusive(engine: Engine) -> Iterator[Connection]:
    """One transaction that holds the writer's lock from its beginning, so that two do not migrate at once."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # pysqlite would begin only at the first INSERT, and leave CREATE TABLE outside
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
        else:
            with connection.begin():
                yield connection


def _refuse_unknown(scripts: ScriptDirectory, revision: str, engine: Engine) -> None:
    try:
        scripts.get_revision(revision)
    except CommandError as error:
        raise StoreError(
            f"The database {engine.url.database} was made by a newer version of mlm-workbench "
            f"(schema {revision}); it was left as it is.",
            "Upgrade mlm-workbench, or choose another database with --db PATH.",
        ) from error


def _back_up(engine: Engine, revision: str) -> None:
    file = sqlite_file(engine.url.render_as_string(hide_password=False))
    if file is None:
        return
    copy = file.with_name(f"{file.name}.before-{revision}.bak")
    unfinished = copy.with_name(f"{copy.name}.part")  # a copy that is there is a whole one
    try:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=file_mode())
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        unfinished.replace(copy)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"No copy of {file} can be made beside it before it is migrated: {error}; it was left as it is.",
            "Make room there, or give the folder write permission.",
        ) from error
