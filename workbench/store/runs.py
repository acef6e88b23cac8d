"""Creates, finds and changes runs."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.status import ACTIVE, PlaceEngine, Status
from workbench.store.database import Queries, in_parts, retried
from workbench.store.naming import name_for
from workbench.store.tables import Run
from workbench.stored_recipe import StoredRecipe


class Runs(Queries):
    """Queries on the table `run`; the store's own methods."""

    @retried
    def create_run(self, recipe: Recipe, name: str | None = None, tags: Sequence[str] = ()) -> Run:
        """Add a queued run. Its folder is named but not created. Raises UsageError for an invalid name."""
        with self.database.session() as session:
            self.database.take_turns(session)  # for a name that no other run has
            run = Run(name="", recipe=StoredRecipe.of(recipe), tags=list(tags), created_at=time.time())
            session.add(run)
            session.flush()
            taken = set(session.exec(select(Run.name)))
            run.name, slug = name_for(recipe, name, taken)
            run.folder = str(self.database.folders.folder / f"{run.id}-{slug}")
            session.commit()
            return run

    def run(self, run_id: int) -> Run:
        """The run with that id. Raises UsageError when there is none."""
        with self.database.session() as session:
            run = session.get(Run, run_id)
        if run is None:
            raise UsageError(f"There is no run {run_id}.", "`mlm-workbench runs` lists them.")
        return run

    def runs(self, *, include_archived: bool = False) -> list[Run]:
        """All runs that are not deleted, newest first."""
        query = select(Run).where(col(Run.deleted_at).is_(None)).order_by(col(Run.id).desc())
        if not include_archived:
            query = query.where(col(Run.archived).is_(False))
        with self.database.session() as session:
            return list(session.exec(query))

    def active_runs(self) -> list[Run]:
        """The runs that are queued or running."""
        with self.database.session() as session:
            query = select(Run).where(col(Run.deleted_at).is_(None), col(Run.status).in_(ACTIVE))
            return list(session.exec(query.order_by(col(Run.id))))

    def has_active_jobs(self) -> bool:
        """Whether a job of a cluster belongs to a run that is queued or running."""
        query = select(Run.id).where(
            col(Run.deleted_at).is_(None),
            col(Run.status).in_(ACTIVE),
            col(Run.job).is_not(None),
            Run.place_engine == PlaceEngine.SLURM,
        )
        with self.database.session() as session:
            return session.exec(query.limit(1)).first() is not None

    def saw_jobs(self, run_ids: Collection[int], at: float) -> None:
        """Note when an engine last told of these runs' jobs what it had told before."""
        for part in in_parts(run_ids):
            self.database.write(update(Run).where(col(Run.id).in_(part)).values(engine_seen_at=at))

    def journaled_runs(self, since: float) -> list[Run]:
        """The runs whose worker reports through a journal, and may still do so: they are active, or crashed
        after `since`, when the rest of a journal may come late."""
        recent = (col(Run.status) == Status.CRASHED) & (col(Run.ended_at) > since)
        query = select(Run).where(
            col(Run.deleted_at).is_(None),
            col(Run.place_engine) != PlaceEngine.LOCAL,
            col(Run.status).in_(ACTIVE) | recent,
        )
        with self.database.session() as session:
            return list(session.exec(query))

    def find(self, reference: str) -> Run:
        """A run by id, by a unique name, or `latest`. Raises UsageError, which lists candidates."""
        reference = reference.removeprefix("run:")
        with self.database.session() as session:
            newest = select(Run).where(col(Run.deleted_at).is_(None)).order_by(col(Run.id).desc())
            if reference == "latest":
                matches = list(session.exec(newest.limit(1)))
            elif reference.isascii() and reference.isdigit():
                matches = list(session.exec(newest.where(Run.id == int(reference[:18]))))
            else:
                matches = list(session.exec(newest.where(Run.name == reference)))
            if len(matches) == 1:
                return matches[0]
            latest = list(session.exec(newest.limit(5)))
        if matches:
            ids = ", ".join(str(run.id) for run in matches)
            raise UsageError(f"{len(matches)} runs are called {reference!r}: {ids}.", "Use the id.")
        if not latest:
            raise UsageError("There are no runs yet.", "Start one with `mlm-workbench train`.")
        shown = ", ".join(f"{run.id} {run.name}" for run in latest)
        raise UsageError(f"There is no run {reference!r}.", f"The newest are {shown}.")

    def update_run(self, run_id: int, **fields: Any) -> None:
        """Set columns of a run."""
        self.database.write(update(Run).where(col(Run.id) == run_id).values(**fields))

    def change_status(self, run_id: int, before: Collection[str], **fields: Any) -> bool:
        """Set columns if the run's status is in `before`; whether it was. Of two processes, one succeeds."""
        query = update(Run).where(col(Run.id) == run_id, col(Run.status).in_(before)).values(**fields)
        return self.database.write(query) == 1

    def request_stop(self, run_id: int) -> None:
        """Ask the run's worker to stop. Idempotent."""
        self.database.write(
            update(Run)
            .where(
                col(Run.id) == run_id,
                col(Run.status).in_(ACTIVE),
                col(Run.stop_requested_at).is_(None),
            )
            .values(stop_requested_at=time.time())
        )
