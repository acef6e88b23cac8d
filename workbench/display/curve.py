"""The arithmetic of a chart: scales, ticks, and thinning that keeps every peak."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
"""(step, value)"""

NICE = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to 0..1, linear or logarithmic. `low` < `high`; both above 0 when `log`."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, values: Iterable[float], log: bool) -> Scale:
        """The scale that holds all finite `values` (above 0 when `log`) with a small margin."""
        usable = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
        if not usable:
            return cls(1.0, 10.0, True) if log else cls(0.0, 1.0, False)
        low, high = min(usable), max(usable)
        if log:
            ratio = max((high / low) ** 0.04, 1.02)
            return cls(low / ratio, high * ratio, True)
        air = max((high - low) * 0.04, abs(high) * 1e-3, 1e-9)
        return cls(max(low - air, 0.0) if low >= 0 else low - air, high + air, False)

    def position(self, value: float) -> float:
        """Where `value` lies: 0 at `low`, 1 at `high`; clamped."""
        if self.log:
            value = max(value, 1e-300)
            place = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        else:
            place = (value - self.low) / (self.high - self.low)
        return min(max(place, 0.0), 1.0)

    def ticks(self, most: int) -> list[float]:
        """Round values inside the scale, at most `most` (but at least two where two fit)."""
        if most < 1:
            return []
        return self._log_ticks(most) if self.log else linear_ticks(self.low, self.high, most)

    def _log_ticks(self, most: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for factors in (NICE, (1.0, 3.0), (1.0,)):
            ticks = [f * 10.0**e for e in range(first, last + 1) for f in factors]
            inside = [t for t in ticks if self.low <= t <= self.high]
            if len(inside) <= most:
                break
        else:  # more decades than room: every nth
            inside = inside[:: math.ceil(len(inside) / most)]
        return inside if len(inside) >= 2 or most < 2 else linear_ticks(self.low, self.high, most)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten inside [low, high], at most `most` of them."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return []
    exponent = math.floor(math.log10(span / most))
    for power in (exponent, exponent + 1, exponent + 2):
        for factor in NICE:
            step = factor * 10.0**power
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first + 1 <= most:
                return [i * step for i in range(first, last + 1)]
    return []


@dataclass(frozen=True, slots=True)
class DotColumn:
    """What one column of dots must show: the first, last, lowest and highest value in it."""

    x: int
    first: float
    last: float
    low: float
    high: float


def thin(points: Sequence[Point], columns: int, start: float, end: float) -> list[DotColumn]:
    """At most one `DotColumn` per dot column, in order; lowest and highest value of each are kept.

    So a single peak among a million points survives. Points must be sorted by step; those that are not
    finite or lie outside [start, end] are left out.
    """
    if columns < 1:
        return []
    width = max(end - start, 1e-12)
    thinned: list[DotColumn] = []
    current, first, last, low, high = -1, 0.0, 0.0, 0.0, 0.0
    for step, value in points:
        if not math.isfinite(value) or step < start or step > end:
            continue
        x = round((step - start) / width * (columns - 1))
        if x != current:
            if current >= 0:
                thinned.append(DotColumn(current, first, last, low, high))
            current, first, low, high = x, value, value, value
        last, low, high = value, min(low, value), max(high, value)
    if current >= 0:
        thinned.append(DotColumn(current, first, last, low, high))
    return thinned


def smooth(points: Sequence[Point], weight: float) -> list[Point]:
    """Exponential moving average with bias correction (Kingma & Ba 2015, section 3). 0: unchanged."""
    if weight <= 0:
        return list(points)
    average, correction, smoothed = 0.0, 1.0, []
    for step, value in points:
        if not math.isfinite(value):
            continue
        average = weight * average + (1 - weight) * value
        correction *= weight
        smoothed.append((step, average / (1 - correction)))
    return smoothed


def pick(points: Sequence[Point], most: int) -> list[Point]:
    """At most about `most` of the points, sorted by step: the lowest and the highest of each part of the
    steps, and the last point of all.
    """
    if len(points) <= most:
        return list(points)
    first, span = points[0][0], max(points[-1][0] - points[0][0], 1e-12)
    parts = max(most // 2, 1)
    extremes: dict[int, tuple[Point, Point]] = {}
    for point in points:
        part = min(int((point[0] - first) / span * parts), parts - 1)
        low, high = extremes.get(part, (point, point))
        extremes[part] = (point if point[1] < low[1] else low, point if point[1] > high[1] else high)
    picked = [point for pair in extremes.values() for point in sorted({*pair})]
    return picked if picked[-1] == points[-1] else [*picked, points[-1]]


def average(points: Sequence[Point], most: int) -> list[Point]:
    """The points; if there are more than `most`, the averages of `most` consecutive groups of equal size."""
    if len(points) <= most:
        return list(points)
    edges = [i * len(points) // most for i in range(most + 1)]
    parts = [points[begin:end] for begin, end in pairwise(edges)]
    return [(part[-1][0], math.fsum(value for _, value in part) / len(part)) for part in parts]
