"""Curves at a glance: a few values of each of many runs in one query, and when a run's steps were taken."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, func
from sqlmodel import col, select

from workbench.store.tables import Metric

if TYPE_CHECKING:
    from workbench.store.store import Store


class Moment(NamedTuple):
    """`step` was measured at `at` (seconds since 1970) by the run's process number `segment`."""

    segment: int
    step: int
    at: float


class Glances:
    """Queries on the table `metric` that are cheap enough for every run in sight; `store.glances`."""

    def __init__(self, store: Store) -> None:
        self._store = store

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
        with self._store._session() as session:
            for run_id, high, low, count in session.execute(query):
                found[run_id] += [high] if count == 1 else [high, low]
            for run_id, value in session.execute(ends):
                found[run_id].append(value)
        return found

    def moments(self, run_id: int, name: str, parts: int) -> list[Moment]:
        """When about `parts` of the steps with this metric were taken, in the order of steps."""
        here = and_(col(Metric.run_id) == run_id, col(Metric.name) == name, col(Metric.superseded).is_(False))
        with self._store._session() as session:
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
