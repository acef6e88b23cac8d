"""Where the folders of runs lie: beside a database file; of a server's store, where its clients agreed on."""

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
"""The folder of runs for this program, where the store is a server's."""
_KEPT = "runs_folder"


class RunFolders:
    """The folder of a store's runs; `store.database.folders`."""

    def __init__(self, backend: Backend, engine: Engine) -> None:
        self._backend, self._engine = backend, engine
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """Where the folders of new runs are made. Raises StoreError.

        Of a database file: `runs` beside it. Of a server: $MLM_WORKBENCH_RUNS; else the folder that the store
        names; else one in the user's own data folder. The first one that is named is kept in the store.
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
        """Let all clients make the folders of new runs there. Raises UsageError for a database file, whose
        runs lie beside it, and StoreError.
        """
        if self._backend.file is not None:
            raise UsageError(
                f"The runs of {self._backend.location} lie beside it: --runs is for a PostgreSQL store.",
                "Give --db postgresql://… before --runs.",
            )
        self._keep(folder, replace=True)
        self._folder = _absolute(folder)

    def made_here(self, run: Run) -> Path | None:
        """The run's folder, if this store made it on this machine; None: it may be anybody's.

        Only such a folder may be removed: a run's `folder` may come from a database made elsewhere.
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
        """Make the run's folder this store's. Raises StoreError when it is another's (see `owner`)."""
        file = self._backend.file
        if file is not None:
            claim(Path(run.folder), run.id, file)
        else:
            claim_for_server(Path(run.folder), run.id, self._backend.name)

    def _kept(self) -> Path | None:
        query = select(Setting.value).where(col(Setting.name) == _KEPT)
        try:
            with self._engine.connect() as connection:
                found = connection.execute(query).scalar()
        except DBAPIError as error:
            raise self._backend.explain(error) from error
        return Path(found) if found else None

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
            if replace:  # else: who may only read follows what the others have named
                raise self._backend.explain(error) from error

    def _own(self) -> Path:
        place = self._backend.location.partition("://")[2].rpartition("@")[2]
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", place).strip("-.") or "store"
        return platformdirs.user_data_path("mlm-workbench") / name / "runs"


def _absolute(folder: str | Path) -> Path:
    return Path(folder).expanduser().absolute()
