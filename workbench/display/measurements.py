"""The metrics of one run as they arrive, and the curves made from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.display.curve import Point, average, pick, smooth
from workbench.display.plot import Series
from workbench.metrics import CURVES, PANELS, TIME, MetricName, perplexity

if TYPE_CHECKING:
    from workbench.store import Metric, Store

KEPT = 4000
"""Points kept per metric; a tenth of them still fills a wide terminal."""
LONG = 20_000
"""Steps from which a run is sketched first, because reading all of it takes longer than opening a screen."""
SKETCHED = 400
"""Points of a sketch."""
SMOOTHING = (0.0, 0.6, 0.9, 0.97)
"""Weights of the moving average, from none to strong."""
AVERAGED = 500
"""Points to which a curve is averaged before smoothing, since the extremes of thinned points alternate."""
ZOOM = (1.0, 0.5, 0.2, 0.1)
"""The zoom levels: the last part of a run that the chart shows."""


@dataclass(frozen=True, slots=True)
class Past:
    """A run's metrics when it was first read: thinned points, up to the metric `cursor`."""

    cursor: int
    points: dict[str, list[Point]]
    phases: dict[str, tuple[float, float]]
    is_sketch: bool = False
    """Whether peaks may be missing."""

    @classmethod
    def sketched(cls, store: Store, run_id: int, steps: int) -> Past:
        """Read, on a thread, a sketch of a run of that many steps that is available at once."""
        cursor = store.curves.newest(run_id)
        points: dict[str, list[Point]] = {
            name: store.curves.sketch(run_id, name, SKETCHED, steps)
            for name in (MetricName.TRAIN_LOSS, *PANELS)
            if not name.startswith("system/")  # measured at few steps: most would be missed
        }
        tested = MetricName.EVAL_PERPLEXITY
        points[tested] = store.curves.thinned(run_id, tested, KEPT, upto=cursor)
        return cls(cursor, points, {}, is_sketch=True)

    @classmethod
    def read(cls, store: Store, run_id: int) -> Past:
        """Read from the store, on a thread."""
        cursor = store.curves.newest(run_id)
        names = (*CURVES, *PANELS)
        points: dict[str, list[Point]] = {
            name: store.curves.thinned(run_id, name, KEPT, upto=cursor) for name in names
        }
        return cls(cursor, points, store.curves.totals(run_id, TIME))


class Measurements:
    """Points by metric name, filled from a cursor so that nothing is read twice."""

    def __init__(self) -> None:
        self.cursor = 0
        self.segment: int | None = None
        self._points: dict[str, list[Point]] = {}
        self.seconds: dict[str, float] = {}
        """Seconds that each phase has taken so far, by its name."""
        self.phase_ended_at: float | None = None
        """When the last phase ended; None: unknown."""

    def begin(self, past: Past, segment: int | None) -> None:
        """Start afresh from `past`: at first, and after a resume, which supersedes steps. `segment`: the
        run's process that it covers; None: it must be read again."""
        self.cursor, self.segment = past.cursor, segment
        self._points = {name: list(points) for name, points in past.points.items()}
        self.seconds = {name.removeprefix(TIME): total for name, (total, _) in past.phases.items()}
        self.phase_ended_at = max((at for _, at in past.phases.values()), default=None)

    def add(self, rows: Iterable[Metric]) -> None:
        """Add rows, oldest first."""
        for row in rows:
            self.cursor = max(self.cursor, row.id)
            if row.name.startswith(TIME):
                phase = row.name.removeprefix(TIME)
                self.seconds[phase] = self.seconds.get(phase, 0.0) + row.value
                self.phase_ended_at = row.at
                continue
            points = self._points.setdefault(row.name, [])
            points.append((row.step, row.value))
            if len(points) > 2 * KEPT:
                self._points[row.name] = pick(points, KEPT)

    def points(self, name: str) -> list[Point]:
        return self._points.get(name, [])

    def last(self, name: str) -> float | None:
        points = self._points.get(name)
        return points[-1][1] if points else None

    def train_curve(self) -> list[Point]:
        """Train perplexity by step; from the loss where that was measured more often."""
        losses, perplexities = self.points(MetricName.TRAIN_LOSS), self.points(MetricName.TRAIN_PERPLEXITY)
        if len(losses) <= len(perplexities):
            return perplexities
        return [(step, perplexity(loss)) for step, loss in losses]

    def series(self, *, baseline: float | None, smoothing: float = 0.0, part: float = 1.0) -> list[Series]:
        """Train, test and baseline for the chart, of the last `part` of the steps.

        The baseline is also the test curve's first point. It is left out when zoomed in, where it would
        flatten the rest.
        """
        train = self.train_curve()
        if smoothing:
            # Smooth the logarithm: the noise is in the loss, and perplexity is its exponential.
            logs = [(step, math.log(value)) for step, value in train if 0 < value < math.inf]
            train = [(step, perplexity(value)) for step, value in smooth(average(logs, AVERAGED), smoothing)]
        test = list(self.points(MetricName.EVAL_PERPLEXITY))
        if baseline is not None and (not test or test[0][0] > 0):
            test.insert(0, (0.0, baseline))
        if part < 1:
            start = max((points[-1][0] for points in (train, test) if points), default=0.0) * (1 - part)
            train, test = _since(train, start), _since(test, start)
        curves = [Series("train", tuple(train)), Series("test", tuple(test), "marks")]
        if baseline is not None and part == 1:
            curves.append(Series("baseline", ((0.0, baseline),), "level"))
        return curves


def _since(points: Sequence[Point], start: float) -> list[Point]:
    return [point for point in points if point[0] >= start]
