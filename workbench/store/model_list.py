"""The checkpoints of all runs, for lists to pick a model from."""

from __future__ import annotations

from typing import NamedTuple

from sqlmodel import col, select

from workbench.caveats import untrained_base
from workbench.store.database import Queries
from workbench.store.tables import Checkpoint, Run


class SavedModel(NamedTuple):
    """A checkpoint. `base`: the model that its run started from; `untrained`: see `caveats.untrained_base`;
    `newest`: it is the run's newest.
    """

    run_id: int
    run: str
    base: str
    step: int
    epoch: float
    eval_perplexity: float | None
    best: bool
    newest: bool
    untrained: str = ""


class ModelList(Queries):
    """Light queries on the tables `run` and `checkpoint`; `store.models`."""

    def saved(self, run_id: int | None = None, limit: int = 2000) -> list[SavedModel]:
        """The checkpoints of a run, or of all runs that are not deleted; newest run and newest step first."""
        query = (
            select(  # type: ignore[call-overload]
                Run.id,
                Run.name,
                Run.recipe,
                col(Run.engine)["drawn"],
                Checkpoint.step,
                Checkpoint.epoch,
                Checkpoint.eval_perplexity,
                Checkpoint.best,
            )
            .join(Checkpoint, col(Checkpoint.run_id) == col(Run.id))
            .where(col(Run.deleted_at).is_(None))
            .order_by(col(Run.id).desc(), col(Checkpoint.step).desc())
            .limit(limit)
        )
        if run_id is not None:
            query = query.where(col(Run.id) == run_id)
        models: list[SavedModel] = []
        with self.database.session() as session:
            for id_, name, recipe, drawn, step, epoch, perplexity, best in session.exec(query):
                newest = not models or models[-1].run_id != id_
                base = str(recipe.model or "")
                untrained = untrained_base(recipe, {"drawn": drawn})
                models.append(SavedModel(id_, name, base, step, epoch, perplexity, best, newest, untrained))
        return models
