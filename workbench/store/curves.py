"""Curves for a screen: a run's metrics, thinned in the database so that no peak is lost."""

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
    """Step `step` was measured at `at` (seconds since 1970) in the run's segment `segment`."""

    segment: int
    step: int
    at: float


class Curves(Queries):
    """Queries on the table `metric` that return few points of many; `store.curves`."""

    def newest(self, run_id: int) -> int:
        """The id of a run's newest value; 0 if there is none. Later values have higher ids."""
        with self.database.session() as session:
            query = select(func.max(Metric.id)).where(Metric.run_id == run_id)
            return session.exec(query).one() or 0

    def totals(self, run_id: int, prefix: str) -> dict[str, tuple[float, float]]:
        """For a run's metrics whose names start with `prefix`: the sum of the values, and the time of the
        last one (seconds since 1970).
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
        """A quick sample of about `points` of the `of` points of a metric, by step.

        It reads the index only, but may miss a peak; `thinned` does not.
        """
        # The ids of one metric have a constant stride. Scattering them samples evenly whatever the stride.
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
        """About `points` points of a metric, by step; all of them if there are no more.

        The steps are divided into points / 2 equal parts. Each part gives its lowest value, at its first
        step, and its highest, at its last step; the metric's last value is added unchanged. `upto`: only
        values with at most this id. Superseded values are ignored.
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
        """For each run, few values of a metric in the order of steps, with every peak and trough.

        A run's steps are divided into `parts` equal parts. Each part gives its highest and its lowest value,
        in this order, or its only value; the last value is added unchanged. Step 0 is left out: the baseline
        would make the rest look flat.
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
        values: dict[int, list[float]] = {run_id: [] for run_id in run_ids}
        with self.database.session() as session:
            for run_id, high, low, count in session.execute(query):
                values[run_id] += [high] if count == 1 else [high, low]
            for run_id, value in session.execute(ends):
                values[run_id].append(value)
        return values

    def moments(self, run_id: int, name: str, parts: int) -> list[Moment]:
        """The times of about `parts` steps with this metric, in the order of steps."""
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
