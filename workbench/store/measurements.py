"""The metrics and checkpoints of runs."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import delete, insert, update
from sqlmodel import Session, col, select

from workbench.store.database import Queries, retried
from workbench.store.tables import Checkpoint, Metric, Run


class MetricValue(NamedTuple):
    """A value to be stored."""

    name: str
    step: int
    epoch: float
    value: float


class Measurements(Queries):
    """Queries on the tables `metric` and `checkpoint`; the store's own methods."""

    def add_metrics(self, run_id: int, segment: int, values: Iterable[MetricValue]) -> None:
        """Store values, all in one commit."""
        now = time.time()
        rows = [
            {**value._asdict(), "run_id": run_id, "segment": segment, "at": now, "superseded": False}
            for value in values
        ]
        if rows:
            self.database.write(insert(Metric), rows)

    def metrics(self, run_id: int, names: Collection[str] | None = None, after: int = 0) -> list[Metric]:
        """Values with an id above `after`, oldest first, without superseded ones. For polling."""
        query = select(Metric).where(
            Metric.run_id == run_id, col(Metric.id) > after, col(Metric.superseded).is_(False)
        )
        if names is not None:
            query = query.where(col(Metric.name).in_(names))
        with self.database.session() as session:
            return list(session.exec(query.order_by(col(Metric.id))))

    @retried
    def supersede_after(self, run_id: int, step: int) -> None:
        """Supersede the values after `step` and delete later checkpoints: a resume repeats those steps."""
        with self.database.session() as session:
            supersede(session, run_id, step)
            session.commit()

    @retried
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
        """Store a checkpoint. It replaces one at the same step. Only one checkpoint of a run is the best."""
        saved = Checkpoint(
            run_id=run_id,
            step=step,
            epoch=epoch,
            path=path,
            eval_perplexity=eval_perplexity,
            best=best,
            created_at=time.time(),
        )
        with self.database.session() as session:
            put_checkpoint(session, saved)
            session.commit()

    def best_checkpoint(self, run_id: int) -> Checkpoint | None:
        """The checkpoint that is marked as the best; else that with the lowest test perplexity, else the
        newest one. None where the run has no checkpoint.
        """
        saved = self.checkpoints(run_id)
        tested = [checkpoint for checkpoint in saved if checkpoint.eval_perplexity is not None]
        marked = [checkpoint for checkpoint in saved if checkpoint.best]
        chosen = (
            marked[-1:]
            or sorted(tested, key=lambda checkpoint: checkpoint.eval_perplexity or 0.0)[:1]
            or saved[-1:]
        )
        return chosen[0] if chosen else None

    def checkpoints(self, run_id: int) -> list[Checkpoint]:
        """A run's checkpoints, oldest first."""
        with self.database.session() as session:
            query = select(Checkpoint).where(Checkpoint.run_id == run_id).order_by(col(Checkpoint.step))
            return list(session.exec(query))


def supersede(session: Session, run_id: int, step: int) -> None:
    """`supersede_after`, without the commit."""
    connection = session.connection()
    after = (col(Metric.run_id) == run_id, col(Metric.step) > step)
    connection.execute(update(Metric).where(*after).values(superseded=True))
    connection.execute(
        delete(Checkpoint).where(col(Checkpoint.run_id) == run_id, col(Checkpoint.step) > step)
    )


def put_checkpoint(session: Session, saved: Checkpoint) -> None:
    """`add_checkpoint`, without the commit."""
    for earlier in session.exec(select(Checkpoint).where(Checkpoint.run_id == saved.run_id)):
        if earlier.step == saved.step:
            session.delete(earlier)
        elif saved.best and earlier.best:
            earlier.best = False
    session.add(saved)
    columns = {"checkpoint": saved.path}
    session.connection().execute(update(Run).where(col(Run.id) == saved.run_id).values(**columns))
