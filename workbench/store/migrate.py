"""Migrates a database to the newest schema; refuses one of a newer version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from workbench.errors import StoreError
from workbench.store.backend import Backend
from workbench.store.engine import current_version

MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(backend: Backend, engine: Engine) -> None:
    """Migrate to the newest revision, all in one transaction. A copy is made beside a file that changes.

    Raises StoreError, the database unchanged, when a newer version of the program made it.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    with backend.migration(engine) as connection:
        current = current_version(connection)
        if current == newest:  # another process was first
            return
        if current is not None:
            _refuse_unknown(scripts, current, backend.location)
            backend.back_up(current)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _refuse_unknown(scripts: ScriptDirectory, revision: str, location: str) -> None:
    try:
        scripts.get_revision(revision)
    except CommandError as error:
        raise StoreError(
            f"The database {location} was made by a newer version of mlm-workbench "
            f"(schema {revision}); it was left as it is.",
            "Upgrade mlm-workbench, or choose another database with --db PATH.",
        ) from error
