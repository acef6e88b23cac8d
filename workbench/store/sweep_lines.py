"""The runs of sweeps for screens: only the columns they need."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select

from workbench.status import Status
from workbench.store.database import Queries, in_parts
from workbench.store.tables import Run
from workbench.stored_recipe import StoredRecipe

WAITS: ColumnElement[bool] = and_(
    col(Run.status) == Status.QUEUED,
    col(Run.queue_position).is_not(None),
    col(Run.worker_pid).is_(None),
    col(Run.deleted_at).is_(None),
)
"""The condition of a run that waits in the queue: it is queued and never had a process."""


def waits(run: Run | SweepRun) -> bool:
    """The same for a run that has been read."""
    return run.status == Status.QUEUED and run.queue_position is not None and run.worker_pid is None


class SweepRun(NamedTuple):
    """One run of a sweep."""

    id: int
    sweep_id: int
    status: str
    yardstick_perplexity: float | None
    eval_perplexity: float | None
    segment: int
    queue_position: float | None
    worker_pid: int | None

    @property
    def waits(self) -> bool:
        return waits(self)


class SweepLines(Queries):
    """Queries cheap enough to run every second; `store.sweeps.lines`."""

    def runs(self, sweep_id: int | None = None) -> list[SweepRun]:
        """The runs of a sweep, or of all sweeps, that are not deleted, oldest first."""
        which = col(Run.sweep_id).is_not(None) if sweep_id is None else col(Run.sweep_id) == sweep_id
        columns = [getattr(Run, name) for name in SweepRun._fields]
        query: Any = select(*columns).where(which, col(Run.deleted_at).is_(None)).order_by(col(Run.id))
        with self.database.session() as session:
            return [SweepRun(*row) for row in session.execute(query)]

    def queue(self) -> dict[int, int | None]:
        """All waiting runs in the order of the queue, those of paused sweeps too: run id to sweep id."""
        query: Any = select(Run.id, Run.sweep_id).where(WAITS)
        with self.database.session() as session:
            ordered = session.execute(query.order_by(col(Run.queue_position), col(Run.id)))
            return {row[0]: row[1] for row in ordered}

    def recipes(self, run_ids: list[int]) -> dict[int, StoredRecipe]:
        """The recipes of these runs. They never change."""
        recipes: dict[int, StoredRecipe] = {}
        with self.database.session() as session:
            for part in in_parts(run_ids):
                query: Any = select(Run.id, Run.recipe).where(col(Run.id).in_(part))
                recipes |= {row[0]: row[1] for row in session.execute(query)}
        return recipes
