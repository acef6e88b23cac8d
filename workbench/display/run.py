"""A run in a list, as text: elapsed time, status, a sparkline, recipe values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

from workbench.caveats import Measured, diverged
from workbench.display import numbers
from workbench.display.status import DIVERGED, STALLED, mark
from workbench.status import Status

if TYPE_CHECKING:
    from workbench.store.run_lines import RunLine

STAR = "★"
LEVELS = "▁▂▃▄▅▆▇█"


def epochs(line: RunLine) -> str:
    """`3`, or `1.4/3` for a run that has not trained all of them."""
    wanted = "" if line.recipe.epochs is None else str(line.recipe.epochs)
    if line.status == Status.FINISHED or not line.epoch:
        return wanted
    return f"{line.epoch:.1f}/{wanted}"


class Timed(Protocol):
    """Something with a start and an end, in seconds since 1970."""

    @property
    def started_at(self) -> float | None: ...
    @property
    def ended_at(self) -> float | None: ...


def elapsed(line: Timed, now: float) -> float | None:
    """Seconds between start and end, or until `now` (epoch seconds)."""
    if line.started_at is None:
        return None
    end = line.ended_at if line.ended_at is not None else now
    return max(end - line.started_at, 0.0)


class RunState(Measured, Protocol):
    """Something with a status and metrics and, while running, a phase."""

    @property
    def phase(self) -> str | None: ...


def shown_status(run: Measured, standstill: str = "") -> str:
    """The status by which a run is marked: its own, `stalled` or `diverged`."""
    return STALLED if standstill else DIVERGED if diverged(run) else run.status


def doing(run: RunState, standstill: str = "") -> tuple[str, str]:
    """Symbol and words: the status, a running run's phase, and why it seems to stall or that it diverged."""
    symbol = mark(shown_status(run, standstill)).symbol
    phase = f", {run.phase}" if run.status == Status.RUNNING and run.phase else ""
    more = f", stalled: {standstill}" if standstill else f", {DIVERGED}" if diverged(run) else ""
    return symbol, f"{run.status}{phase}{more}"


def short_name(name: str | None) -> str:
    """The last part of a hub id or path."""
    return PurePath(name).name or name if name else ""


def spark(values: Sequence[float], width: int) -> str:
    """A sparkline of at most `width` letters, on a logarithmic scale, with the highest and lowest value.

    A value that is not finite has full height. If there are more values than letters, the highest and the
    lowest of each part are shown; the last letter is the last value.
    """
    heights = [math.log(v) if math.isfinite(v) and v > 0 else math.inf for v in values]
    finite = [height for height in heights if height < math.inf]
    if not finite:
        return LEVELS[-1] * min(len(heights), width)
    low, high = min(finite), max(finite)
    heights = [min(height, high) for height in heights]
    shown = heights if len(heights) <= width else [*_extremes(heights[:-1], width - 1), heights[-1]]
    scale = (len(LEVELS) - 1) / (high - low) if high > low else 0.0
    return "".join(LEVELS[round((height - low) * scale)] for height in shown)


def _extremes(heights: Sequence[float], most: int) -> list[float]:
    """At most `most` heights: the highest and the lowest of each part, in order."""
    parts = max(most // 2, 1)
    size = math.ceil(len(heights) / parts)
    extremes: list[float] = []
    for start in range(0, len(heights), size):
        part = heights[start : start + size]
        places = sorted({part.index(max(part)), part.index(min(part))})
        extremes += [part[place] for place in places]
    return extremes


def as_shown(value: Any) -> str:
    """A recipe's value as text."""
    if value is None or value == "":
        return numbers.NOTHING
    return numbers.decimal(value) if isinstance(value, float) else str(value)
