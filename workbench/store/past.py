"""What earlier runs can tell a new one: how much text there was, how fast it went, which models they left."""

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
"""Where a run was taken over from: a key of its environment."""


class Experience(NamedTuple):
    """What one run measured. `data`: the fields of CorpusReady; `tokens_per_second`: of training alone."""

    recipe: StoredRecipe
    host: str | None
    data: Mapping[str, Any] | None
    tokens_per_second: float | None


class TrainedModel(NamedTuple):
    """A run with a checkpoint, which can be gone on from."""

    id: int
    name: str
    model: str
    eval_perplexity: float | None


class PastRuns(Queries):
    """Light queries on the table `run`; `store.past`."""

    def experience(self, limit: int = 100) -> list[Experience]:
        """Of the newest runs that have read their text, newest first."""
        query = (
            select(Run.recipe, Run.host, Run.data, Run.tokens_per_second)
            .where(col(Run.total_steps).is_not(None))
            .order_by(col(Run.id).desc())
            .limit(limit)
        )
        with self.database.session() as session:
            return [Experience(*row) for row in session.exec(query)]

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
    def take_over(
        self,
        wanted: str | None,
        base: str,
        *,
        tags: Sequence[str],
        values: Iterable[MetricValue],
        checkpoints: Iterable[Checkpoint],
        columns: Mapping[str, Any],
    ) -> Run:
        """A finished run that another program did, with all that it left; all or nothing is stored.

        `base`: what it is called where no name is wanted, with a number when another run has that name.
        `columns`: of the table `run`. The checkpoints' `run_id` is set here. Raises UsageError for a name it
        cannot have.
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
