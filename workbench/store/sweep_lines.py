"""Sweeps as a screen shows them: of their runs the few columns it needs, not whole rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlmodel import col, select

from workbench.status import Status
from workbench.store.tables import Run

if TYPE_CHECKING:
    from workbench.store.store import Store


class SweepRun(NamedTuple):
    """One run of a sweep, as it stands."""

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
        """Whether it waits for its turn."""
        return self.status == Status.QUEUED and self.queue_position is not None and self.worker_pid is None


class SweepLines:
    """Queries that are cheap enough for every second; `store.sweeps.lines`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def runs(self, sweep_id: int | None = None) -> list[SweepRun]:
        """The runs of a sweep, or of all sweeps, that are not deleted, oldest first."""
        which = col(Run.sweep_id).is_not(None) if sweep_id is None else col(Run.sweep_id) == sweep_id
        columns = [getattr(Run, name) for name in SweepRun._fields]
        query: Any = select(*columns).where(which, col(Run.deleted_at).is_(None)).order_by(col(Run.id))
        with self._store._session() as session:
            return [SweepRun(*row) for row in session.execute(query)]

    def queue(self) -> dict[int, int | None]:
        """The ids of all runs that wait, of paused sweeps too, in the order of their turns, each with its
        sweep's."""
        from workbench.store.sweeps import WAITS

        query: Any = select(Run.id, Run.sweep_id).where(WAITS)
        with self._store._session() as session:
            ordered = session.execute(query.order_by(col(Run.queue_position), col(Run.id)))
            return {row[0]: row[1] for row in ordered}

    def recipes(self, run_ids: list[int]) -> dict[int, dict[str, Any]]:
        """The recipes of these runs, which never change."""
        found: dict[int, dict[str, Any]] = {}
        with self._store._session() as session:
            for start in range(0, len(run_ids), _AT_ONCE):
                part = run_ids[start : start + _AT_ONCE]
                query: Any = select(Run.id, Run.recipe).where(col(Run.id).in_(part))
                found |= {row[0]: row[1] for row in session.execute(query)}
        return found


_AT_ONCE = 500
"""Ids in one query: databases have a limit."""
