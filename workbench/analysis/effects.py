"""The main effect of each field of a sweep, with a field's many values grouped into levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_LEVELS = 8
"""A field with more distinct numbers is divided into ranges."""
_RANGES = 4


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a field. effect: ln(perplexity / that of the field's best level), other things equal."""

    label: str
    effect: float
    n: int


@dataclass(frozen=True, slots=True)
class Effect:
    """The main effect of a field: its levels in order, and `reach`, the largest effect among them."""

    field: str
    levels: list[Level]
    reach: float


class Levels:
    """Groups the values of a field into a few levels for display. Values may be numbers, text or None."""

    def __init__(self, values: Sequence[Any]) -> None:
        numbers = sorted({value for value in values if _is_number(value)})
        self._edges: list[float] = []
        if len(numbers) > MOST_LEVELS:
            self._edges = _edges(numbers[0], numbers[-1])
            self.labels = [
                f"{low:.3g}..{high:.3g}" for low, high in zip(self._edges, self._edges[1:], strict=False)
            ]
        else:
            others = dict.fromkeys(value for value in values if not _is_number(value))
            self.labels = [label_of(value) for value in [*numbers, *others]]

    def label(self, value: Any) -> str:
        """The level that a value belongs to."""
        if not self._edges or not _is_number(value):
            return label_of(value)
        place = sum(value >= edge for edge in self._edges[1:-1])
        return self.labels[place]


Result = tuple[Mapping[str, Any], float, int]
"""A recipe's values, its log perplexity and the number of its runs."""


def main_effects(results: Sequence[Result], fields: Sequence[str]) -> list[Effect]:
    """The main effects of `fields`, largest first.

    Least squares with a term for each level of each field, recipes weighted by their runs. The recipes of an
    unfinished sweep are not balanced, so plain means would mix the effects of fields.
    """
    import numpy as np

    swept = {name: levels for name in fields if len((levels := _levels_of(results, name))[1]) > 1}
    columns = [(name, label) for name, (_, runs) in swept.items() for label in list(runs)[1:]]
    if not columns or len(results) <= len(columns):
        return []
    terms = [[own == label for own in swept[name][0]] for name, label in columns]
    design = np.array([[True] * len(results), *terms], dtype=np.float64).T
    weights = np.sqrt(np.array([float(n) for _, _, n in results]))
    logs = np.array([log for _, log, _ in results])
    fitted, _, rank, _ = np.linalg.lstsq(design * weights[:, None], logs * weights, rcond=None)
    if rank < design.shape[1]:
        return []  # two fields always changed together: their effects cannot be separated
    term = dict(zip(columns, map(float, fitted[1:]), strict=True))
    effects = [_effect(name, runs, term) for name, (_, runs) in swept.items()]
    return sorted(effects, key=lambda effect: -effect.reach)


def _levels_of(results: Sequence[Result], name: str) -> tuple[list[str], dict[str, int]]:
    """The level of each recipe, and the number of runs of each level, in order."""
    levels = Levels([values.get(name) for values, _, _ in results])
    labels = [levels.label(values.get(name)) for values, _, _ in results]
    runs = dict.fromkeys((label for label in levels.labels if label in labels), 0)
    for label, (_, _, n) in zip(labels, results, strict=True):
        runs[label] += n
    return labels, runs


def _effect(name: str, runs: Mapping[str, int], term: Mapping[tuple[str, str], float]) -> Effect:
    """A field's levels relative to its lowest. The first level has no term: it is the reference."""
    raw = {label: term.get((name, label), 0.0) for label in runs}
    lowest = min(raw.values())
    levels = [Level(label, raw[label] - lowest, n) for label, n in runs.items()]
    return Effect(name, levels, max(raw.values()) - lowest)


def label_of(value: Any) -> str:
    """A value for display."""
    if value is None:
        return "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _edges(low: float, high: float) -> list[float]:
    """The edges of ranges of equal width, or of equal ratio if the ends differ by a factor of ten."""
    if low > 0 and high / low >= 10:
        return [math.exp(math.log(low) + i * math.log(high / low) / _RANGES) for i in range(_RANGES + 1)]
    return [low + i * (high - low) / _RANGES for i in range(_RANGES + 1)]
