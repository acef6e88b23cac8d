"""The store: everything that is remembered, behind plain methods. Safe to use from several threads."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, insert, text, update
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, col, select

from workbench.errors import StoreError, UsageError
from workbench.recipe import Recipe
from workbench.status import ACTIVE, Status
from workbench.store.catalog import Catalog
from workbench.store.clozes import Clozes
from workbench.store.curves import Curves
from workbench.store.engine import SCHEMA_VERSION, current_version, locate, open_engine, sqlite_file
from workbench.store.lease import Lease
from workbench.store.model_list import ModelList
from workbench.store.naming import name_for
from workbench.store.past import PastRuns
from workbench.store.sparklines import Glances
from workbench.store.sweeps import Sweeps
from workbench.store.tables import Checkpoint, Fill, Metric, Run
from workbench.store.yardsticks import Yardsticks


class MetricValue(NamedTuple):
    """A value to be stored."""

    name: str
    step: int
    epoch: float
    value: float


class Store:
    """A database of runs. `Store.open` is the way in."""

    def __init__(self, engine: Engine, url: str) -> None:
        self._engine = engine
        self._url = url
        self._watcher: Connection | None = None
        self.catalog = Catalog(self)
        self.curves = Curves(self)
        self.past = PastRuns(self)
        self.models = ModelList(self)
        self.glances = Glances(self)
        self.clozes = Clozes(self)
        self.yardsticks = Yardsticks(self)
        self.sweeps = Sweeps(self)
        self.lease = Lease(self)

    @classmethod
    def open(cls, location: str | Path | None = None) -> Store:
        """Open `location`, a path or SQLAlchemy URL, made and brought up to date as needed.

        None: $MLM_WORKBENCH_DB, or experiments.db in the current folder. Raises StoreError with what to do,
        the file untouched, when it is no database or made by a newer version.
        """
        url = locate(location)
        engine = open_engine(url)
        try:
            with engine.connect() as connection:
                version = current_version(connection)
            if version != SCHEMA_VERSION:
                from workbench.store.migrate import bring_up_to_date

                bring_up_to_date(engine)
        except (DatabaseError, OperationalError) as error:
            engine.dispose()
            raise StoreError(
                f"The database {_shown(url)} cannot be used: {error.orig}.",
                "If it is damaged, put a copy in its place; another is chosen with --db PATH.",
            ) from error
        except StoreError:
            engine.dispose()
            raise
        return cls(engine, url)

    def close(self) -> None:
        """Let go of all connections."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        self._engine.dispose()

    @property
    def url(self) -> str:
        """What another process opens to see the same runs."""
        return self._url

    @property
    def location(self) -> str:
        """The database as a person would name it."""
        return _shown(self._url)

    @property
    def runs_folder(self) -> Path:
        """Where the runs' files lie: `runs` beside the database file, or in the current folder."""
        file = sqlite_file(self._url)
        return (file.parent if file else Path.cwd()) / "runs"

    # Runs

    def create_run(self, recipe: Recipe, name: str | None = None, tags: Sequence[str] = ()) -> Run:
        """A new run, queued; its folder is named, not made. Raises UsageError for a name it cannot have."""
        with self._session() as session:
            run = Run(name="", recipe=recipe.model_dump(mode="json"), tags=list(tags), created_at=time.time())
            session.add(run)
            session.flush()
            taken = set(session.exec(select(Run.name)))
            run.name, slug = name_for(recipe, name, taken)
            run.folder = str(self.runs_folder / f"{run.id}-{slug}")
            session.commit()
            return run

    def run(self, run_id: int) -> Run:
        """The run of that id. Raises UsageError when there is none."""
        with self._session() as session:
            found = session.get(Run, run_id)
        if found is None:
            raise UsageError(f"There is no run {run_id}.", "`mlm-workbench runs` lists them.")
        return found

    def runs(self, *, include_archived: bool = False) -> list[Run]:
        """All runs that are not deleted, newest first."""
        query = select(Run).where(col(Run.deleted_at).is_(None)).order_by(col(Run.id).desc())
        if not include_archived:
            query = query.where(col(Run.archived).is_(False))
        with self._session() as session:
            return list(session.exec(query))

    def active_runs(self) -> list[Run]:
        """The runs that are queued or running."""
        with self._session() as session:
            query = select(Run).where(col(Run.deleted_at).is_(None), col(Run.status).in_(ACTIVE))
            return list(session.exec(query))

    def find(self, reference: str) -> Run:
        """A run by id, by a name that only one has, or `latest`. Raises UsageError with what there is."""
        reference = reference.removeprefix("run:")
        with self._session() as session:
            newest = select(Run).where(col(Run.deleted_at).is_(None)).order_by(col(Run.id).desc())
            if reference == "latest":
                found = list(session.exec(newest.limit(1)))
            elif reference.isascii() and reference.isdigit():
                found = list(session.exec(newest.where(Run.id == int(reference[:18]))))
            else:
                found = list(session.exec(newest.where(Run.name == reference)))
            if len(found) == 1:
                return found[0]
            known = list(session.exec(newest.limit(5)))
        if found:
            ids = ", ".join(str(run.id) for run in found)
            raise UsageError(f"{len(found)} runs are called {reference!r}: {ids}.", "Give the id.")
        if not known:
            raise UsageError("There are no runs yet.", "Start one with `mlm-workbench train`.")
        shown = ", ".join(f"{run.id} {run.name}" for run in known)
        raise UsageError(f"There is no run {reference!r}.", f"The newest are {shown}.")

    def update_run(self, run_id: int, **fields: Any) -> None:
        """Set columns of a run."""
        self._write(update(Run).where(col(Run.id) == run_id).values(**fields))

    def change_status(self, run_id: int, before: Collection[str], **fields: Any) -> bool:
        """Set columns if the run's status is one of `before`; whether it was. Of two who try, one wins."""
        query = update(Run).where(col(Run.id) == run_id, col(Run.status).in_(before)).values(**fields)
        return self._write(query) == 1

    def request_stop(self, run_id: int) -> None:
        """Leave word for the run's worker to stop. Asking again changes nothing."""
        self._write(
            update(Run)
            .where(
                col(Run.id) == run_id,
                col(Run.status).in_(ACTIVE),
                col(Run.stop_requested_at).is_(None),
            )
            .values(stop_requested_at=time.time())
        )

    def stop_requested(self, run_id: int) -> bool:
        """Whether the run was asked to stop."""
        with self._session() as session:
            return session.exec(select(Run.stop_requested_at).where(Run.id == run_id)).first() is not None

    def delete_run(self, run_id: int) -> None:
        """Forget a run and remove its folder. Raises UsageError while it is queued or running."""
        run = self.run(run_id)
        with self._session() as session:
            ended = [status for status in Status if status not in ACTIVE]
            gone = session.connection().execute(
                text("DELETE FROM run WHERE id = :id AND status IN ('" + "','".join(ended) + "')"),
                {"id": run_id},
            )
            session.commit()
        if gone.rowcount != 1:
            raise UsageError(
                f"Run {run_id} {run.name} is {run.status}.", f"Stop it first: mlm-workbench stop {run_id}"
            )
        # only ever a folder of our own making: a run's `folder` may come from a database made elsewhere
        folder = self.runs_folder / Path(run.folder).name
        if run.folder and folder.name.startswith(f"{run_id}-"):
            shutil.rmtree(folder, ignore_errors=True)

    # What a run measured

    def add_metrics(self, run_id: int, segment: int, values: Iterable[MetricValue]) -> None:
        """Store values, all in one commit."""
        now = time.time()
        rows = [
            {**value._asdict(), "run_id": run_id, "segment": segment, "at": now, "superseded": False}
            for value in values
        ]
        if rows:
            self._write(insert(Metric), rows)

    def metrics(self, run_id: int, names: Collection[str] | None = None, after: int = 0) -> list[Metric]:
        """Values with an id above `after`, oldest first, without superseded ones: a cursor to poll with."""
        query = select(Metric).where(
            Metric.run_id == run_id, col(Metric.id) > after, col(Metric.superseded).is_(False)
        )
        if names is not None:
            query = query.where(col(Metric.name).in_(names))
        with self._session() as session:
            return list(session.exec(query.order_by(col(Metric.id))))

    def supersede_after(self, run_id: int, step: int) -> None:
        """Put aside the values after `step`, and checkpoints too: a resume goes through those steps again."""
        with self._session() as session:
            connection = session.connection()
            connection.execute(
                update(Metric)
                .where(col(Metric.run_id) == run_id, col(Metric.step) > step)
                .values(superseded=True)
            )
            for checkpoint in session.exec(
                select(Checkpoint).where(Checkpoint.run_id == run_id, col(Checkpoint.step) > step)
            ):
                session.delete(checkpoint)
            session.commit()

    def add_checkpoint(
        self,
        run_id: int,
        *,
        step: int,
        epoch: float,
        path: str,
        eval_perplexity: float | None,
        best: bool,
    ) -> None:
        """Remember a checkpoint, in the place of one at the same step. Only one of a run is the best."""
        with self._session() as session:
            for earlier in session.exec(select(Checkpoint).where(Checkpoint.run_id == run_id)):
                if earlier.step == step:
                    session.delete(earlier)
                elif best and earlier.best:
                    earlier.best = False
            session.add(
                Checkpoint(
                    run_id=run_id,
                    step=step,
                    epoch=epoch,
                    path=path,
                    eval_perplexity=eval_perplexity,
                    best=best,
                    created_at=time.time(),
                )
            )
            session.connection().execute(update(Run).where(col(Run.id) == run_id).values(checkpoint=path))
            session.commit()

    def checkpoints(self, run_id: int) -> list[Checkpoint]:
        """A run's checkpoints, oldest first."""
        with self._session() as session:
            query = select(Checkpoint).where(Checkpoint.run_id == run_id).order_by(col(Checkpoint.step))
            return list(session.exec(query))

    # The console's history

    def add_fill(self, *, model: str, run_id: int | None, text: str, result: dict[str, Any]) -> Fill:
        """Remember a text and its answer."""
        with self._session() as session:
            fill = Fill(at=time.time(), model=model, run_id=run_id, text=text, result=result)
            session.add(fill)
            session.commit()
            return fill

    def fills(self, limit: int = 200) -> list[Fill]:
        """The newest fills, newest first."""
        with self._session() as session:
            return list(session.exec(select(Fill).order_by(col(Fill.id).desc()).limit(limit)))

    # The database itself

    def data_version(self) -> int:
        """A number that changes when any other connection has committed: SQLite's data_version.

        For another kind of database, a number that changes at every call.
        """
        if self._engine.dialect.name != "sqlite":
            return time.monotonic_ns()
        if self._watcher is None:
            self._watcher = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return int(self._watcher.execute(text("PRAGMA data_version")).scalar_one())

    def integrity_problems(self) -> list[str]:
        """What is wrong with the database file; empty: nothing."""
        if self._engine.dialect.name != "sqlite":
            return []
        with self._engine.connect() as connection:
            found = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
            found += [
                f"dangling row in {row[0]}" for row in connection.execute(text("PRAGMA foreign_key_check"))
            ]
        return [line for line in found if line != "ok"]

    @contextmanager
    def _session(self) -> Iterator[Session]:
        # objects stay readable after their session: a reader gets a picture of the moment
        with _explained(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    def _write(self, statement: Any, rows: Sequence[dict[str, Any]] | None = None) -> int:
        with _explained(), self._engine.begin() as connection:
            result = (
                connection.execute(statement, rows) if rows is not None else connection.execute(statement)
            )
            return int(result.rowcount)


@contextmanager
def _explained() -> Iterator[None]:
    """The database's own errors in a person's words."""
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        reason = str(error.orig)
        hint = ""
        if "locked" in reason:
            hint = "Another process holds the database; try again when it is done."
        elif "full" in reason:
            hint = "Make room on the disk."
        elif "readonly" in reason:
            hint = "The file or its folder cannot be written: change its permissions, or use --db PATH."
        raise StoreError(f"The database refused: {reason}.", hint) from error


def _shown(url: str) -> str:
    file = None
    with contextlib.suppress(StoreError):
        file = sqlite_file(url)
    if file is None:
        from sqlalchemy.engine import make_url

        return make_url(url).render_as_string(hide_password=True)
    with contextlib.suppress(ValueError):
        return str(file.relative_to(Path.cwd()))
    return str(file)
