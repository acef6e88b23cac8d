"""Curves for a screen: what a run measured, thinned by the database itself, so that every peak survives."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Select, and_, func
from sqlmodel import col, select

from workbench.store.database import Queries
from workbench.store.tables import Metric

Point = tuple[float, float]
"""(step, value)"""


class Moment(NamedTuple):
    """`step` was measured at `at` (seconds since 1970) by the run's process number `segment`."""

    segment: int
    step: int
    at: float


class Curves(Queries):
    """Queries on the table `metric` that give few points of many; `store.curves`."""

    def newest(self, run_id: int) -> int:
        """The id of the newest value of a run; 0: there is none. What comes later has a higher one."""
        with self.database.session() as session:
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
                col(Metric.name) >= prefix,  # in the order of bytes, on a server too: see tables.py
                col(Metric.name) < prefix + "\uffff",
                col(Metric.superseded).is_(False),
            )
            .group_by(Metric.name)
        )
        with self.database.session() as session:
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
        with self.database.session() as session:
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
        with self.database.session() as session:
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

    def sparks(self, run_ids: Collection[int], name: str, parts: int) -> dict[int, list[float]]:
        """Of each run the values of a metric since training began, in the order of steps; few of them, and no
        peak or trough lost. What was measured before, at step 0, would make the rest look flat.

        Of each of `parts` equal parts of a run's steps the highest and the lowest value are given, in this
        order; a part with one value gives that. The last value is itself.
        """
        here = and_(
            col(Metric.run_id).in_(run_ids),
            col(Metric.name) == name,
            col(Metric.superseded).is_(False),
            col(Metric.step) > 0,
        )
        spans = (
            select(
                Metric.run_id,
                func.min(Metric.step).label("first"),
                func.max(Metric.step).label("last"),
                func.max(Metric.id).label("newest"),
            )
            .where(here)
            .group_by(col(Metric.run_id))
            .subquery()
        )
        part = (col(Metric.step) - spans.c.first) * parts // (spans.c.last - spans.c.first + 1)
        query = (
            select(
                Metric.run_id,
                func.max(Metric.value),
                func.min(Metric.value),
                func.count(),
            )
            .join(spans, col(Metric.run_id) == spans.c.run_id)
            .where(here, col(Metric.id) < spans.c.newest)
            .group_by(col(Metric.run_id), part)
            .order_by(col(Metric.run_id), func.min(Metric.step))
        )
        ends = select(Metric.run_id, Metric.value).join(spans, col(Metric.id) == spans.c.newest)
        found: dict[int, list[float]] = {run_id: [] for run_id in run_ids}
        with self.database.session() as session:
            for run_id, high, low, count in session.execute(query):
                found[run_id] += [high] if count == 1 else [high, low]
            for run_id, value in session.execute(ends):
                found[run_id].append(value)
        return found

    def moments(self, run_id: int, name: str, parts: int) -> list[Moment]:
        """When about `parts` of the steps with this metric were taken, in the order of steps."""
        here = and_(col(Metric.run_id) == run_id, col(Metric.name) == name, col(Metric.superseded).is_(False))
        with self.database.session() as session:
            span = select(func.min(Metric.step), func.max(Metric.step)).where(here)
            first, last = session.execute(span).one()
            if first is None:
                return []
            part = (col(Metric.step) - first) * max(parts, 1) // (last - first + 1)
            query = (
                select(Metric.segment, func.max(Metric.step), func.max(Metric.at))
                .where(here)
                .group_by(col(Metric.segment), part)
                .order_by(func.max(Metric.step))
            )
            begins = select(Metric.segment, Metric.step, Metric.at).where(here, col(Metric.step) == first)
            rows = [*session.execute(begins), *session.execute(query)]
        return [Moment(*row) for row in sorted(dict.fromkeys(tuple(row) for row in rows), key=lambda r: r[1])]
