"""Scores on cloze suites: one per checkpoint and suite."""

from __future__ import annotations

import time

from sqlmodel import col, select

from workbench.store.database import Queries, retried
from workbench.store.tables import Cloze


class Clozes(Queries):
    """Queries on the table `cloze`; `store.clozes`."""

    @retried
    def add(self, score: Cloze) -> Cloze:
        """Store a score. It replaces an earlier one of the same suite, run and step (or base model)."""
        score.created_at = time.time()
        same = select(Cloze).where(
            Cloze.suite_fingerprint == score.suite_fingerprint,
            Cloze.run_id == score.run_id,
            Cloze.step == score.step,
        )
        if score.run_id is None:
            same = same.where(Cloze.model == score.model)
        with self.database.session() as session:
            self.database.take_turns(session)
            for earlier in session.exec(same):
                session.delete(earlier)
            session.add(score)
            session.commit()
            return score

    def find(self, suite_fingerprint: str, weights_fingerprint: str) -> Cloze | None:
        """A score of these weights on this suite, from any run or base model."""
        query = select(Cloze).where(
            Cloze.suite_fingerprint == suite_fingerprint, Cloze.weights_fingerprint == weights_fingerprint
        )
        with self.database.session() as session:
            return session.exec(query.order_by(col(Cloze.id)).limit(1)).first()

    def of_run(self, run_id: int, suite_fingerprint: str | None = None) -> list[Cloze]:
        """A run's scores in the order of steps, on one suite or on all."""
        query = select(Cloze).where(Cloze.run_id == run_id)
        if suite_fingerprint is not None:
            query = query.where(Cloze.suite_fingerprint == suite_fingerprint)
        with self.database.session() as session:
            return list(session.exec(query.order_by(col(Cloze.step), col(Cloze.id))))
