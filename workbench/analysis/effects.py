"""What each knob of a sweep does by itself, and the levels that a knob with many values is cut into."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_LEVELS = 8
"""A field with more different numbers than that is cut into ranges."""
_RANGES = 4


@dataclass(frozen=True, slots=True)
class Level:
    """One value of a field. effect: ln(perplexity / that of the field's best value), all else being equal."""

    label: str
    effect: float
    n: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What one field does: its levels in order, and `reach`, the largest effect among them."""

    field: str
    levels: list[Level]
    reach: float


class Levels:
    """The values of a field as the few levels that a picture shows. Values may be numbers, text or None."""

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


def main_effects(
    known: Sequence[tuple[Mapping[str, Any], float, int]], fields: Sequence[str]
) -> list[Effect]:
    """The main effects of `fields`, largest first, from (values, log perplexity, runs) of recipes.

    Least squares with a term for each level of each field, recipes weighted by their runs: while a sweep is
    half done its recipes are not balanced, and plain means would mix one field's effect with another's.
    """
    import numpy as np

    levels = {name: Levels([values.get(name) for values, _, _ in known]) for name in fields}
    seen = {
        name: [label for label in one.labels if any(one.label(v.get(name)) == label for v, _, _ in known)]
        for name, one in levels.items()
    }
    swept = [name for name in fields if len(seen[name]) > 1]
    columns = [(name, label) for name in swept for label in seen[name][1:]]
    if not swept or len(known) <= len(columns):
        return []
    design = np.array(
        [
            [1.0, *(float(levels[name].label(values.get(name)) == label) for name, label in columns)]
            for values, _, _ in known
        ]
    )
    weights = np.sqrt(np.array([float(n) for _, _, n in known]))
    logs = np.array([log for _, log, _ in known])
    fitted, _, rank, _ = np.linalg.lstsq(design * weights[:, None], logs * weights, rcond=None)
    if rank < design.shape[1]:
        return []  # two fields always changed together: whose effect it is cannot be told
    term = dict(zip(columns, map(float, fitted[1:]), strict=True))
    effects = []
    for name in swept:
        raw = [term.get((name, label), 0.0) for label in seen[name]]
        counts = [
            sum(n for values, _, n in known if levels[name].label(values.get(name)) == label)
            for label in seen[name]
        ]
        lowest = min(raw)
        shown = [Level(label, one - lowest, n) for label, one, n in zip(seen[name], raw, counts, strict=True)]
        effects.append(Effect(name, shown, max(raw) - lowest))
    return sorted(effects, key=lambda effect: -effect.reach)


def label_of(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _edges(low: float, high: float) -> list[float]:
    """Ranges of equal width, or of equal factors where the ends are ten times apart."""
    if low > 0 and high / low >= 10:
        return [math.exp(math.log(low) + i * math.log(high / low) / _RANGES) for i in range(_RANGES + 1)]
    return [low + i * (high - low) / _RANGES for i in range(_RANGES + 1)]
