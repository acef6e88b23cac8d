"""Yardstick scores: one per model and protocol."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from workbench.store.database import Queries, retried
from workbench.store.tables import Yardstick

IDENTITY = (
    "weights_fingerprint",
    "protocol",
    "text_fingerprint",
    "tokenizer_fingerprint",
    "masks_fingerprint",
)
"""Two scores that agree in all of these columns are the same score."""


class Yardsticks(Queries):
    """Queries on the table `yardstick`; `store.yardsticks`."""

    @retried
    def add(self, score: Yardstick) -> Yardstick:
        """Store a score. It replaces an earlier one of the same run, step and protocol.

        A base model's score (run_id None) replaces one of the same name, weights and text.
        """
        score.created_at = time.time()
        with self.database.session() as session:
            self.database.take_turns(session)
            put_score(session, score)
            session.commit()
            return score

    def remove(self, score: Yardstick) -> None:
        """Remove a score."""
        with self.database.session() as session:
            session.delete(score)
            session.commit()

    def find(self, **identity: str) -> Yardstick | None:
        """A score of these weights on this test (all of IDENTITY), from any run or base model."""
        query = _with_identity(select(Yardstick), identity)
        with self.database.session() as session:
            return session.exec(query.order_by(col(Yardstick.id)).limit(1)).first()

    def of_run(self, run_id: int, protocol: str | None = None) -> list[Yardstick]:
        """A run's scores in the order of steps; with `protocol`, only those of that protocol."""
        query = select(Yardstick).where(Yardstick.run_id == run_id)
        if protocol is not None:
            query = query.where(Yardstick.protocol == protocol)
        with self.database.session() as session:
            return list(session.exec(query.order_by(col(Yardstick.step), col(Yardstick.id))))

    def of_base(self, model: str) -> list[Yardstick]:
        """The scores of a base model by its name in recipes, newest first."""
        query = select(Yardstick).where(col(Yardstick.run_id).is_(None), Yardstick.model == model)
        with self.database.session() as session:
            return list(session.exec(query.order_by(col(Yardstick.id).desc())))

    def levels(self, **identity: str) -> dict[int, float]:
        """The mean loss of each run's newest score on a test (IDENTITY without the weights), by run
        id, in nats per token.
        """
        columns = (col(Yardstick.run_id), Yardstick.loss_sum, Yardstick.masked_tokens)
        query: Any = select(*columns).where(col(Yardstick.run_id).is_not(None), Yardstick.masked_tokens > 0)
        for name in IDENTITY[1:]:
            query = query.where(getattr(Yardstick, name) == identity[name])
        with self.database.session() as session:
            rows = session.exec(query.order_by(col(Yardstick.run_id), col(Yardstick.step)))
            return {run_id: loss / tokens for run_id, loss, tokens in rows if run_id is not None}

    def all(self, run_ids: Sequence[int]) -> dict[int, list[Yardstick]]:
        """The scores of several runs in one query, each in the order of steps."""
        query = select(Yardstick).where(col(Yardstick.run_id).in_(run_ids))
        scores: dict[int, list[Yardstick]] = {run_id: [] for run_id in run_ids}
        with self.database.session() as session:
            for score in session.exec(query.order_by(col(Yardstick.step), col(Yardstick.id))):
                if score.run_id in scores:
                    scores[score.run_id].append(score)
        return scores


def put_score(session: Session, score: Yardstick) -> None:
    """`Yardsticks.add`, without the commit."""
    same = select(Yardstick).where(Yardstick.protocol == score.protocol)
    if score.run_id is None:
        same = _with_identity(same, score.model_dump()).where(
            col(Yardstick.run_id).is_(None), Yardstick.model == score.model
        )
    else:
        same = same.where(Yardstick.run_id == score.run_id, Yardstick.step == score.step)
    for earlier in session.exec(same):
        session.delete(earlier)
    session.add(score)


def _with_identity(query: Any, values: dict[str, Any]) -> Any:
    return query.where(*(getattr(Yardstick, name) == values[name] for name in IDENTITY))
