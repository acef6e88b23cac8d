"""The metrics of one run as they come in, and the curves made from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.tui.widgets.curve import Point, smooth
from workbench.tui.widgets.plot import Series

if TYPE_CHECKING:
    from workbench.store import Metric

CURVES = ("train/loss", "train/perplexity", "eval/perplexity")
FIGURES = ("train/learning_rate", "train/grad_norm", "speed/tokens_per_second")
SMOOTHING = 0.9


class Measurements:
    """Points by metric name, filled from a cursor: what was read once is not read again."""

    def __init__(self) -> None:
        self.cursor = 0
        self.segment = 0
        self._points: dict[str, list[Point]] = {}

    def start_over(self, segment: int) -> None:
        """Forget all: after a resume, steps that were gone through again have been superseded."""
        self.cursor, self.segment = 0, segment
        self._points = {}

    def add(self, rows: Sequence[Metric]) -> None:
        """Take in rows, oldest first."""
        for row in rows:
            self.cursor = max(self.cursor, row.id or 0)
            self._points.setdefault(row.name, []).append((row.step, row.value))

    def points(self, name: str) -> list[Point]:
        return self._points.get(name, [])

    def last(self, name: str) -> float | None:
        points = self._points.get(name)
        return points[-1][1] if points else None

    def train_curve(self) -> list[Point]:
        """Train perplexity by step: exp of the loss where that was measured more often."""
        losses, perplexities = self.points("train/loss"), self.points("train/perplexity")
        if len(losses) <= len(perplexities):
            return perplexities
        return [(step, math.exp(min(loss, 700.0))) for step, loss in losses]

    def series(self, *, baseline: float | None, smoothed: bool) -> list[Series]:
        """Train, test and baseline for the chart. The baseline is also the test curve's first point."""
        train = self.train_curve()
        if smoothed:
            # On the logarithm, as the loss is what noise is added to; perplexity is its exponential.
            logs = [(step, math.log(value)) for step, value in train if value > 0]
            train = [(step, math.exp(value)) for step, value in smooth(logs, SMOOTHING)]
        test = list(self.points("eval/perplexity"))
        if baseline is not None and (not test or test[0][0] > 0):
            test.insert(0, (0.0, baseline))
        curves = [Series("train", tuple(train)), Series("test", tuple(test), "marks")]
        if baseline is not None:
            curves.append(Series("baseline", ((0.0, baseline),), "level"))
        return curves
