"""Finds the files of runs whose database was copied or moved: they are beside it.

The database stores absolute paths. A copy of it that followed them would write into the original's runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import QueryContext
from sqlalchemy.orm.attributes import set_committed_value

from workbench.store.json_text import Damaged
from workbench.store.run_folders import RunFolders
from workbench.store.tables import Checkpoint, DamagedRecipe, Run

INFO = "places"
"""The key of a `Places` in a session's `info`."""
BASE_MODEL = "base_model"
"""The key in a run's environment for the model that it started from, perhaps another run's checkpoint."""
_JSON: dict[str, type] = {"tags": list, "environment": dict, "data": dict, "engine": dict, "placement": dict}
DAMAGE_HINT = "Delete the run, or put a backup of the database back: mlm-workbench restore FILE"
_IN_RUNS = re.compile(r"(?P<runs>.*/runs)/(?P<run>\d+-[^/]+)(?P<rest>/.*)?", re.DOTALL)
_DATABASES = ("*.db", "*.sqlite", "*.sqlite3")


class Places:
    """Finds the files of a database's runs. `database`: its file; None for a server: runs do not move."""

    def __init__(self, database: Path | None, folders: RunFolders) -> None:
        self._database, self._folders = database, folders

    def here(self, stored: str) -> str:
        """The current path of `stored`, a run's folder or a path in it.

        That is in this database's `runs`, unless only the original path exists and no other database is
        there.
        """
        if self._database is None or not stored or stored.startswith(f"{self._folders.folder}/"):
            return stored
        match = _IN_RUNS.fullmatch(stored)
        if match is None:
            return stored
        beside = self._folders.folder / match["run"]
        original = Path(match["runs"])
        if (
            beside.is_dir()
            or not (original / match["run"]).is_dir()
            or self._has_other_database(original.parent)
        ):
            return f"{beside}{match['rest'] or ''}"
        return stored

    def _has_other_database(self, folder: Path) -> bool:
        assert self._database is not None
        names = (self._database.name, *_DATABASES)
        databases = (path for name in names for path in folder.glob(name))
        return any(path.is_file() and not path.samefile(self._database) for path in databases)


def damage_of(columns: Sequence[str]) -> str:
    """What a run says of itself whose columns cannot be read."""
    return f"This run's row in the database is damaged: {', '.join(columns)}."


def _places(context: QueryContext) -> Places | None:
    places = context.session.info.get(INFO) if context.session is not None else None
    return places if isinstance(places, Places) else None


@event.listens_for(Run, "load")
def _locate_run(run: Run, context: QueryContext) -> None:
    _mark_damage(run)
    places = _places(context)
    if places is None:
        return
    _set_loaded(run, "folder", places.here(run.folder))
    if run.checkpoint:
        _set_loaded(run, "checkpoint", places.here(run.checkpoint))
    base = run.environment.get(BASE_MODEL)
    if isinstance(base, str) and places.here(base) != base:
        set_committed_value(run, "environment", {**run.environment, BASE_MODEL: places.here(base)})


def _mark_damage(run: Run) -> None:
    damaged = [name for name, kind in _JSON.items() if _is_damaged(getattr(run, name), kind)]
    for name in damaged:
        set_committed_value(run, name, _JSON[name]())
    if isinstance(run.recipe, DamagedRecipe):
        damaged.insert(0, "recipe")
    if damaged:
        set_committed_value(run, "error", damage_of(damaged))
        set_committed_value(run, "error_hint", DAMAGE_HINT)


def _is_damaged(value: Any, kind: type) -> bool:
    return isinstance(value, Damaged) or not isinstance(value, kind)


@event.listens_for(Checkpoint, "load")
def _locate_checkpoint(checkpoint: Checkpoint, context: QueryContext) -> None:
    if places := _places(context):
        _set_loaded(checkpoint, "path", places.here(checkpoint.path))


def _set_loaded(row: Any, column: str, value: str) -> None:
    """Set a column as if the value had been read from the database: it is not written back."""
    if getattr(row, column) != value:
        set_committed_value(row, column, value)
