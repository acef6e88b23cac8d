"""Curves for a screen: what a run measured, thinned by the database itself, so that every peak survives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Select, and_, func
from sqlmodel import col, select

from workbench.store.tables import Metric

if TYPE_CHECKING:
    from workbench.store.store import Store

Point = tuple[float, float]
"""(step, value)"""


class Curves:
    """Queries on the table `metric` that give few points of many; `store.curves`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, run_id: int) -> int:
        """The id of the newest value of a run; 0: there is none. What comes later has a higher one."""
        with self._store._session() as session:
            query = select(func.max(Metric.id)).where(Metric.run_id == run_id)
            return session.exec(query).one() or 0

    def totals(self, run_id: int, prefix: str) -> dict[str, tuple[float, float]]:
        """Of a run's metrics whose names begin with `prefix`, by name: the sum of the values, and when the
        last of them came (seconds since the epoch).
        """
        query = (
            select(Metric.name, func.sum(Metric.value), func.max(Metric.at))
            .where(
                col(Metric.run_id) == run_id,
                col(Metric.name) >= prefix,
                col(Metric.name) < prefix + "\uffff",
                col(Metric.superseded).is_(False),
            )
            .group_by(Metric.name)
        )
        with self._store._session() as session:
            return {name: (float(total), float(at)) for name, total, at in session.execute(query)}

    def sketch(self, run_id: int, name: str, points: int, of: int) -> list[Point]:
        """About `points` of some `of` points of a metric, picked blindly, by step: at once, from the index
        alone, but a peak may be missing. What is to stay on a screen is `thinned`.
        """
        # Ids of one metric come in strides: scattered, the pick takes part of them whatever the stride is.
        scattered = col(Metric.id) * 40_503 % 65_536
        query = (
            select(Metric.step, Metric.value)
            .where(
                col(Metric.run_id) == run_id,
                col(Metric.name) == name,
                scattered < max(65_536 * points // max(of, 1), 1),
                col(Metric.superseded).is_(False),
            )
            .order_by(col(Metric.step), col(Metric.id))
        )
        with self._store._session() as session:
            return [(step, value) for step, value in session.exec(query)]

    def thinned(self, run_id: int, name: str, points: int, upto: int | None = None) -> list[Point]:
        """At most about `points` points of a metric, by step; all of them where there are no more.

        Of each of points / 2 equal parts of the steps the lowest and the highest value are kept, the first of
        them at the part's first step, the other at its last; and the very last value is itself. `upto`: only
        values with at most this id. Superseded values do not count.
        """
        here = and_(col(Metric.run_id) == run_id, col(Metric.name) == name, col(Metric.superseded).is_(False))
        if upto is not None:
            here = and_(here, col(Metric.id) <= upto)
        with self._store._session() as session:
            counted: Select[tuple[int, int, int]] = select(  # type: ignore[assignment]
                func.count(), func.min(Metric.step), func.max(Metric.step)
            ).where(here)
            count, first, last = session.execute(counted).one()
            if count <= points:
                raw = select(Metric.step, Metric.value).where(here).order_by(col(Metric.step), col(Metric.id))
                return [(step, value) for step, value in session.exec(raw)]
            part = (col(Metric.step) - first) * max(points // 2, 1) // (last - first + 1)
            parts = session.execute(
                select(
                    func.min(Metric.step),
                    func.max(Metric.step),
                    func.min(Metric.value),
                    func.max(Metric.value),
                )
                .where(here)
                .group_by(part)
                .order_by(func.min(Metric.step))
            ).all()
            newest = select(Metric.value).where(here).order_by(col(Metric.id).desc()).limit(1)
            end = session.exec(newest).one()
        thinned: list[Point] = []
        for begins, ends, low, high in parts:
            thinned.append((begins, low))
            if high != low:
                thinned.append((ends, high))
        return [*thinned, (last, end)]
