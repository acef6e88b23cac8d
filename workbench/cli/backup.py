"""`backup` and `restore`: a database file copied while it is in use, and a copy put back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import Db, location
from workbench.cli.output import say
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.store.backend import Backend


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy to write. It must not exist.")],
    db: Db = None,
) -> None:
    """Copy the database, also while runs train. The runs' folders are not copied."""
    from workbench.store.sqlite_backup import back_up

    backend = _file_backend(context, db, "pg_dump --format custom --file FILE URL")
    assert backend.file is not None
    back_up(backend.file, file)
    say(f"Copied {backend.location} to {file}.")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy made by `backup`, or a .bak file.")],
    db: Db = None,
) -> None:
    """Put a copy in the place of the database. What was there is kept in a folder beside it."""
    from workbench.store.sqlite_backup import restore as put_back

    backend = _file_backend(context, db, "pg_restore --dbname URL FILE")
    assert backend.file is not None
    kept = put_back(file, backend.file)
    say(f"{backend.location} is now as {file} was.{f' What was there is in {kept}.' if kept else ''}")


def _file_backend(context: typer.Context, db: str | None, instead: str) -> Backend:
    from workbench.store.engine import backend_of

    backend = backend_of(location(context, db))
    if backend.file is None:
        raise UsageError(
            f"{backend.location} is a server's database.", f"Use {instead}; see docs/postgres.md."
        )
    return backend
