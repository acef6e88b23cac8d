"""What earlier runs can tell a new one: how much text there was, how fast it went, which models they left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlmodel import col, select

from workbench.store.tables import Run

if TYPE_CHECKING:
    from workbench.store.store import Store


class Experience(NamedTuple):
    """What one run measured. `data`: the fields of CorpusReady; `tokens_per_second`: of training alone."""

    recipe: Mapping[str, Any]
    host: str | None
    data: Mapping[str, Any] | None
    tokens_per_second: float | None


class TrainedModel(NamedTuple):
    """A run with a checkpoint, which can be gone on from."""

    id: int
    name: str
    model: str
    eval_perplexity: float | None


class PastRuns:
    """Light queries on the table `run`; `store.past`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def experience(self, limit: int = 100) -> list[Experience]:
        """Of the newest runs that have read their text, newest first."""
        query = (
            select(Run.recipe, Run.host, Run.data, Run.tokens_per_second)
            .where(col(Run.total_steps).is_not(None))
            .order_by(col(Run.id).desc())
            .limit(limit)
        )
        with self._store._session() as session:
            return [Experience(*row) for row in session.exec(query)]

    def models(self, limit: int = 500) -> list[TrainedModel]:
        """The newest runs with a checkpoint, newest first."""
        query = (
            select(Run.id, Run.name, Run.recipe, Run.eval_perplexity)
            .where(col(Run.checkpoint).is_not(None), col(Run.deleted_at).is_(None))
            .order_by(col(Run.id).desc())
            .limit(limit)
        )
        with self._store._session() as session:
            return [
                TrainedModel(run_id, name, str(recipe.get("model")), perplexity)
                for run_id, name, recipe, perplexity in session.exec(query)
                if run_id is not None
            ]
