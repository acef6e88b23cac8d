"""Where the files of a database's runs lie now: beside it, also where it was copied or moved.

The database names them by absolute paths, as they were when they were written. A copy that followed these
would write into the original's runs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import QueryContext
from sqlalchemy.orm.attributes import set_committed_value

from workbench.store.run_folders import RunFolders
from workbench.store.tables import Checkpoint, Run

INFO = "places"
"""The key of a `Places` in a session's `info`."""
BASE_MODEL = "base_model"
"""In a run's environment: the model that it started from, which may be another run's checkpoint."""
_IN_RUNS = re.compile(r"(?P<runs>.*/runs)/(?P<run>\d+-[^/]+)(?P<rest>/.*)?", re.DOTALL)
_DATABASES = ("*.db", "*.sqlite", "*.sqlite3")


class Places:
    """Finds the files of a database's runs. `database`: its file; None for a server: runs do not move."""

    def __init__(self, database: Path | None, folders: RunFolders) -> None:
        self._database, self._folders = database, folders

    def here(self, stored: str) -> str:
        """Where what was stored as `stored`, a run's folder or something in it, lies now.

        In this database's `runs`, unless it is there alone where it was, and no other database lies beside.
        """
        if self._database is None or not stored or stored.startswith(f"{self._folders.folder}/"):
            return stored
        found = _IN_RUNS.fullmatch(stored)
        if found is None:
            return stored
        beside = self._folders.folder / found["run"]
        original = Path(found["runs"])
        if beside.is_dir() or not (original / found["run"]).is_dir() or self._is_anothers(original.parent):
            return f"{beside}{found['rest'] or ''}"
        return stored

    def _is_anothers(self, folder: Path) -> bool:
        assert self._database is not None
        names = (self._database.name, *_DATABASES)
        there = (path for name in names for path in folder.glob(name))
        return any(path.is_file() and not path.samefile(self._database) for path in there)


def _places(context: QueryContext) -> Places | None:
    found = context.session.info.get(INFO) if context.session is not None else None
    return found if isinstance(found, Places) else None


@event.listens_for(Run, "load")
def _run_was_read(run: Run, context: QueryContext) -> None:
    places = _places(context)
    if places is None:
        return
    _put(run, "folder", places.here(run.folder))
    if run.checkpoint:
        _put(run, "checkpoint", places.here(run.checkpoint))
    base = run.environment.get(BASE_MODEL)
    if isinstance(base, str) and places.here(base) != base:
        set_committed_value(run, "environment", {**run.environment, BASE_MODEL: places.here(base)})


@event.listens_for(Checkpoint, "load")
def _checkpoint_was_read(checkpoint: Checkpoint, context: QueryContext) -> None:
    if places := _places(context):
        _put(checkpoint, "path", places.here(checkpoint.path))


def _put(row: Any, column: str, value: str) -> None:
    """As if the database had said so: it is not written back."""
    if getattr(row, column) != value:
        set_committed_value(row, column, value)
