"""Reads the compared runs and their curves over steps, tokens or time, on a thread."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.analysis.differences import is_imported
from workbench.display.curve import Point
from workbench.metrics import MetricName, perplexity

if TYPE_CHECKING:
    from workbench.store import Run, Store
    from workbench.store.curves import Moment

POINTS = 600
CURVES = {"test": MetricName.EVAL_PERPLEXITY, "train": MetricName.TRAIN_LOSS}
"""The curves to choose from, and the metric of each."""
AXES = {"steps": "step", "tokens": "token", "time": "minute"}
"""The x axes to choose from, with their units."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run with its letter and its curves by step. `moments`: (step, minutes of training until then)."""

    letter: str
    run: Run
    curves: dict[str, list[Point]]
    moments: list[tuple[int, float]]

    @property
    def tokens_per_step(self) -> int | None:
        """Tokens per optimizer step, over all processes; None for an imported run that does not say."""
        recipe, engine = self.run.recipe, self.run.engine
        if engine.get("devices"):  # a run whose recipe means the batch of all processes
            return int(recipe.batch_size * (recipe.gradient_accumulation or 1) * recipe.chunk_size)
        batch = engine.get("batch_size") or recipe.batch_size
        accumulated = engine.get("gradient_accumulation") or recipe.gradient_accumulation
        chunk_size = recipe.chunk_size
        if not (batch and accumulated and chunk_size):
            return None
        return int(batch * accumulated * (engine.get("processes") or 1) * chunk_size)

    @property
    def tokens_seen(self) -> int | None:
        """Minutes of training so far."""
        each = self.tokens_per_step
        return None if each is None else (self.run.step or 0) * each

    def curve(self, name: str, axis: str) -> list[Point]:
        """A curve over another axis; empty where that axis is unknown."""
        points = self.curves[name]
        if axis == "tokens":
            each = self.tokens_per_step
            return [] if each is None else [(step * each, value) for step, value in points]
        if axis == "time":
            if is_imported(self.run):
                return []
            return [(minutes_at(self.moments, step), value) for step, value in points]
        return points


class Contest:
    """Rereads the runs, and the curves only of those that may have grown."""

    def __init__(self, store: Store, run_ids: Sequence[int]) -> None:
        self._store = store
        self._run_ids = list(run_ids)
        self._known: dict[int, tuple[object, ComparedRun]] = {}

    def read(self) -> list[ComparedRun]:
        """Read all of them, in the order chosen. Raises UsageError when one is gone."""
        return [self._one(chr(ord("A") + place), run_id) for place, run_id in enumerate(self._run_ids)]

    def _one(self, letter: str, run_id: int) -> ComparedRun:
        run = self._store.run(run_id)
        state = (run.created_at, run.segment, run.step, run.eval_perplexity, run.status)
        earlier = self._known.get(run_id)
        if earlier is not None and earlier[0] == state:
            return ComparedRun(letter, run, earlier[1].curves, earlier[1].moments)
        curves = {name: self._store.curves.thinned(run_id, metric, POINTS) for name, metric in CURVES.items()}
        curves["train"] = [(step, perplexity(loss)) for step, loss in curves["train"]]
        if run.baseline_perplexity is not None and (not curves["test"] or curves["test"][0][0] > 0):
            curves["test"].insert(0, (0.0, run.baseline_perplexity))
        moments = minutes(self._store.curves.moments(run_id, MetricName.TRAIN_LOSS, 50))
        compared = ComparedRun(letter, run, curves, moments)
        self._known[run_id] = (state, compared)
        return compared


def minutes(moments: Sequence[Moment]) -> list[tuple[int, float]]:
    """Minutes of training by step. The time between a stop and its resume does not count."""
    passed: list[tuple[int, float]] = []
    before = 0.0
    previous: Moment | None = None
    for moment in moments:
        if previous is not None and moment.segment == previous.segment:
            before += max(moment.at - previous.at, 0.0) / 60
        passed.append((moment.step, before))
        previous = moment
    return passed


def minutes_at(moments: Sequence[tuple[int, float]], step: float) -> float:
    """Interpolates linearly between known steps; constant before the first and after the last."""
    if not moments:
        return 0.0
    at = bisect.bisect_right(moments, (step, math.inf))
    if at == 0 or at == len(moments):
        return moments[min(at, len(moments) - 1)][1]
    (first, begins), (last, ends) = moments[at - 1], moments[at]
    return begins + (ends - begins) * (step - first) / (last - first)


def dense(points: Sequence[Point], count: int, *, log: bool) -> list[Point]:
    """The same curve with about `count` interpolated points.

    A letter can then be drawn anywhere on it, not only at its few evaluations.
    """
    usable = [(x, y) for x, y in points if math.isfinite(y) and (y > 0 or not log)]
    if len(usable) < 2:
        return usable
    step = (usable[-1][0] - usable[0][0]) / max(count, 1)
    found: list[Point] = []
    for (x, y), (next_x, next_y) in pairwise(usable):
        parts = max(math.ceil((next_x - x) / step), 1) if step > 0 else 1
        for part in range(parts):
            share = part / parts
            between = y * (next_y / y) ** share if log else y + (next_y - y) * share
            found.append((x + (next_x - x) * share, between))
    return [*found, usable[-1]]
