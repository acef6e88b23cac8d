"""The store: the database with all its queries. Several threads may use it."""

from __future__ import annotations

from pathlib import Path

from workbench.store.catalog import Catalog
from workbench.store.clozes import Clozes
from workbench.store.curves import Curves
from workbench.store.database import Database
from workbench.store.fills import Fills
from workbench.store.journals import Journals
from workbench.store.lease import Lease
from workbench.store.measurements import Measurements
from workbench.store.model_list import ModelList
from workbench.store.past import PastRuns
from workbench.store.runs import Runs
from workbench.store.sweeps import Sweeps
from workbench.store.tables import Run
from workbench.store.yardsticks import Yardsticks


class Store(Runs, Measurements, Fills):
    """A database of runs, opened with `Store.open`.

    Queries on runs, metrics, checkpoints and the console's history are its own methods; the other groups of
    queries are attributes.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.catalog = Catalog(database)
        self.curves = Curves(database)
        self.past = PastRuns(database)
        self.models = ModelList(database)
        self.clozes = Clozes(database)
        self.yardsticks = Yardsticks(database)
        self.sweeps = Sweeps(database)
        self.lease = Lease(database)
        self.journals = Journals(database)

    @classmethod
    def open(cls, location: str | Path | None = None) -> Store:
        """Open `location`, a path or SQLAlchemy URL; the database is created or migrated as needed.

        None: $MLM_WORKBENCH_DB, or experiments.db in the current folder. Raises StoreError, leaving the file
        unchanged, when it is not a database or was made by a newer version.
        """
        return cls(Database.open(location))

    def close(self) -> None:
        """Close all connections to the database."""
        self.database.close()

    def be_patient(self, seconds: float) -> None:
        """From now on, wait so long for a database server that does not answer: it may be restarting. For
        processes without a person who waits for them."""
        self.database.backend.be_patient(seconds)

    def back_up_daily(self) -> None:
        """Copy a database file beside itself, unless that was done within a day. Raises StoreError."""
        self.database.backend.back_up_daily()

    @property
    def url(self) -> str:
        """The URL with which another process opens this database."""
        return self.database.url

    @property
    def notice(self) -> str:
        """What a person should be told once about where the database lies; "": nothing."""
        return self.database.backend.notice

    @property
    def location(self) -> str:
        """See `Database.location`."""
        return self.database.location

    @property
    def runs_folder(self) -> Path:
        """Where the folders of new runs are made. Raises StoreError."""
        return self.database.folders.folder

    def claim_files(self, run: Run) -> None:
        """Make the run's folder this database's. Raises StoreError when it is another's (see `owner`)."""
        self.database.folders.claim(run)

    def data_version(self) -> int:
        """See `Database.data_version`."""
        return self.database.data_version()

    def integrity_problems(self) -> list[str]:
        """See `Database.integrity_problems`."""
        return self.database.integrity_problems()
