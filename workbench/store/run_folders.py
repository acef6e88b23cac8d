"""The location of the runs' folders: beside a database file, or where a server's clients have agreed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from workbench.errors import UsageError
from workbench.store.backend import Backend
from workbench.store.owner import claim, claim_for_server, owner, server_owner
from workbench.store.tables import Run, Setting

VARIABLE = "MLM_WORKBENCH_RUNS"
"""The environment variable for the folder of runs, if the store is on a server."""
_KEPT = "runs_folder"


class RunFolders:
    """The folder of a store's runs; `store.database.folders`."""

    def __init__(self, backend: Backend, engine: Engine) -> None:
        self._backend, self._engine = backend, engine
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder in which new runs' folders are created. Raises StoreError.

        For a database file: `runs` beside it. For a server: $MLM_WORKBENCH_RUNS, else the folder recorded in
        the store, else one in the user's data folder. The first $MLM_WORKBENCH_RUNS is recorded in the store.
        """
        file = self._backend.file
        if file is not None:
            return file.parent / "runs"
        if self._folder is None:
            named, kept = os.environ.get(VARIABLE), self._kept()
            if named and kept is None:
                self._keep(Path(named), replace=False)
            self._folder = _absolute(named) if named else kept or self._own()
        return self._folder

    def keep(self, folder: Path) -> None:
        """Record the folder for new runs of all clients.

        Raises UsageError for a database file, whose runs are beside it, and StoreError.
        """
        if self._backend.file is not None:
            raise UsageError(
                f"The runs of {self._backend.location} are beside it: --runs is for a PostgreSQL store.",
                "Use --db postgresql://… with --runs.",
            )
        self._keep(folder, replace=True)
        self._folder = _absolute(folder)

    def made_here(self, run: Run) -> Path | None:
        """The run's folder if this store created it on this machine, otherwise None.

        Only such a folder may be removed: a run's `folder` may come from a copied database.
        """
        stored = Path(run.folder)
        folder = self.folder / stored.name
        if self._backend.file is None and stored.parent in (self._kept(), self._own()):
            folder = stored
        if not run.folder or not folder.name.startswith(f"{run.id}-"):
            return None
        file = self._backend.file
        if file is not None:
            return folder if owner(folder, run.id, file) is None else None
        return folder if server_owner(folder, self._backend.name) is None else None

    def claim(self, run: Run) -> None:
        """Mark the run's folder as this store's. Raises StoreError when it is another's (see `owner`)."""
        file = self._backend.file
        if file is not None:
            claim(Path(run.folder), run.id, file)
        else:
            claim_for_server(Path(run.folder), run.id, self._backend.name)

    def _kept(self) -> Path | None:
        query = select(Setting.value).where(col(Setting.name) == _KEPT)
        try:
            with self._engine.connect() as connection:
                recorded = connection.execute(query).scalar()
        except DBAPIError as error:
            raise self._backend.explain(error) from error
        return Path(recorded) if recorded else None

    def _keep(self, folder: Path, *, replace: bool) -> None:
        value = str(_absolute(folder))
        statement = self._backend.insert(Setting).values(name=_KEPT, value=value)
        if replace:
            statement = statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
        else:
            statement = statement.on_conflict_do_nothing()
        try:
            with self._engine.begin() as connection:
                connection.execute(statement)
        except DBAPIError as error:
            if replace:  # otherwise a client without write access uses what the others have recorded
                raise self._backend.explain(error) from error

    def _own(self) -> Path:
        place = self._backend.location.partition("://")[2].rpartition("@")[2]
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", place).strip("-.") or "store"
        return platformdirs.user_data_path("mlm-workbench") / name / "runs"


def _absolute(folder: str | Path) -> Path:
    return Path(folder).expanduser().absolute()
