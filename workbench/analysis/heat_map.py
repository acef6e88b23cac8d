"""A heat map of two fields of a sweep, with a recipe in each cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.analysis.effects import Levels
from workbench.analysis.sweep_table import Entry, SweepTable

_RANK = {"best": 0, "alike": 1, "behind": 2, "": 3}


@dataclass(frozen=True, slots=True)
class HeatMap:
    """cells[i][j]: the best recipe with level i of the field `down` and level j of `across`, None if none.

    several: other fields differ too, so some cells stand for several recipes.
    """

    down: str
    across: str
    down_labels: list[str]
    across_labels: list[str]
    cells: list[list[Entry | None]]
    several: bool

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest finite perplexity; None if there is none."""
        perplexities = [cell.perplexity for row in self.cells for cell in row if cell]
        finite = [value for value in perplexities if value and value < math.inf]
        return (min(finite), max(finite)) if finite else None

    def depth(self, perplexity: float) -> float:
        """The perplexity's place from the lowest, 0, to the highest, 1, on a logarithmic scale; inf gives
        1."""
        if perplexity == math.inf:
            return 1.0
        low, high = map(math.log, self.bounds or (1.0, 1.0))
        return min(max((math.log(perplexity) - low) / (high - low), 0.0), 1.0) if low < high else 0.0


def heat_map(table: SweepTable, fields: Sequence[str] | None = None) -> HeatMap | None:
    """The map of one or two fields, by default the first two; None if there is nothing to show."""
    chosen = list(fields or table.fields[:2])
    if not chosen or not table.entries:
        return None
    across, down = chosen[0], chosen[1] if len(chosen) > 1 else ""
    levels = {name: Levels([entry.values.get(name) for entry in table.entries]) for name in chosen}
    rows = levels[down].labels if down else [""]
    columns = levels[across].labels
    by_cell: dict[tuple[str, str], list[Entry]] = {}
    for entry in table.entries:
        cell = (
            levels[down].label(entry.values.get(down)) if down else "",
            levels[across].label(entry.values.get(across)),
        )
        by_cell.setdefault(cell, []).append(entry)
    cells = [
        [min(by_cell[row, column], key=_rank) if (row, column) in by_cell else None for column in columns]
        for row in rows
    ]
    return HeatMap(down, across, rows, columns, cells, any(len(cell) > 1 for cell in by_cell.values()))


def _rank(entry: Entry) -> tuple[int, float]:
    return _RANK[entry.mark], entry.perplexity if entry.perplexity is not None else float("inf")
