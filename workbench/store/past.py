"""Light queries on earlier runs: the size of their text, their throughput, their models."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert
from sqlmodel import col, select

from workbench.status import Status
from workbench.store.database import Queries, retried
from workbench.store.measurements import MetricValue
from workbench.store.naming import checked, free_name, slug
from workbench.store.tables import Checkpoint, Metric, Run
from workbench.stored_recipe import StoredRecipe

IMPORTED = "imported"
"""The key in a run's environment for the folder that it was imported from."""


class MeasuredRun(NamedTuple):
    """A run's measurements. `data`: the fields of CorpusReady; `tokens_per_second`: of training only."""

    recipe: StoredRecipe
    host: str | None
    data: Mapping[str, Any] | None
    tokens_per_second: float | None


class TrainedModel(NamedTuple):
    """A run with a checkpoint, which another run can start from."""

    id: int
    name: str
    model: str
    eval_perplexity: float | None


class PastRuns(Queries):
    """Light queries on the table `run`; `store.past`."""

    def measured(self, limit: int = 100) -> list[MeasuredRun]:
        """The measurements of the newest runs that have read their text, newest first."""
        query = (
            select(Run.recipe, Run.host, Run.data, Run.tokens_per_second)
            .where(col(Run.total_steps).is_not(None))
            .order_by(col(Run.id).desc())
            .limit(limit)
        )
        with self.database.session() as session:
            return [MeasuredRun(*row) for row in session.exec(query)]

    def models(self, limit: int = 500) -> list[TrainedModel]:
        """The newest runs with a checkpoint, newest first."""
        query: Any = (
            select(Run.id, Run.name, Run.recipe, Run.eval_perplexity)
            .where(col(Run.checkpoint).is_not(None), col(Run.deleted_at).is_(None))
            .order_by(col(Run.id).desc())
            .limit(limit)
        )
        with self.database.session() as session:
            return [
                TrainedModel(run_id, name, str(recipe.model), perplexity)
                for run_id, name, recipe, perplexity in session.exec(query)
            ]

    @retried
    def add_imported(
        self,
        wanted: str | None,
        base: str,
        *,
        tags: Sequence[str],
        values: Iterable[MetricValue],
        checkpoints: Iterable[Checkpoint],
        columns: Mapping[str, Any],
    ) -> Run:
        """Store a finished run of another program with its metrics and checkpoints, in one transaction.

        `base`: its name if `wanted` is None, with a number if another run has it. `columns`: of the table
        `run`. The checkpoints' `run_id` is set here. Raises UsageError for an invalid name.
        """
        now = time.time()
        with self.database.session() as session:
            self.database.take_turns(session)
            taken = set(session.exec(select(Run.name)))
            name = checked(wanted) if wanted is not None else free_name(base, taken)
            run = Run(name=name, status=Status.FINISHED, tags=list(tags), created_at=now, **columns)
            session.add(run)
            session.flush()
            run.folder = str(self.database.folders.folder / f"{run.id}-{slug(name)}")
            rows = [
                {**value._asdict(), "run_id": run.id, "segment": 0, "at": now, "superseded": False}
                for value in values
            ]
            if rows:
                session.connection().execute(insert(Metric), rows)
            for saved in checkpoints:
                saved.run_id = run.id
                session.add(saved)
                run.checkpoint = saved.path
            session.commit()
            return run
