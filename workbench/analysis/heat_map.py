"""Two fields of a sweep against each other, a recipe in each cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.analysis.effects import Levels
from workbench.analysis.sweep_table import Entry, SweepTable

_RANK = {"best": 0, "alike": 1, "behind": 2, "": 3}


@dataclass(frozen=True, slots=True)
class HeatMap:
    """cells[i][j]: the best recipe of those with level i of the field `down` and level j of `across`.

    None: none was planned there. several: other fields differ too, so a cell holds several recipes.
    """

    down: str
    across: str
    down_labels: list[str]
    across_labels: list[str]
    cells: list[list[Entry | None]]
    several: bool

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest perplexity that are finite; None: none is known."""
        all_of_them = [cell.perplexity for row in self.cells for cell in row if cell]
        known = [value for value in all_of_them if value and value < math.inf]
        return (min(known), max(known)) if known else None

    def depth(self, perplexity: float) -> float:
        """Where it lies between the lowest, 0, and the highest, 1, on a logarithmic scale; inf at 1."""
        if perplexity == math.inf:
            return 1.0
        low, high = map(math.log, self.bounds or (1.0, 1.0))
        return min(max((math.log(perplexity) - low) / (high - low), 0.0), 1.0) if low < high else 0.0


def heat_map(table: SweepTable, fields: Sequence[str] | None = None) -> HeatMap | None:
    """The map of two fields, by default the first two; of one, a single row. None: nothing to map."""
    chosen = list(fields or table.fields[:2])
    if not chosen or not table.entries:
        return None
    across, down = chosen[0], chosen[1] if len(chosen) > 1 else ""
    levels = {name: Levels([entry.values.get(name) for entry in table.entries]) for name in chosen}
    rows = levels[down].labels if down else [""]
    columns = levels[across].labels
    held: dict[tuple[str, str], list[Entry]] = {}
    for entry in table.entries:
        place = (
            levels[down].label(entry.values.get(down)) if down else "",
            levels[across].label(entry.values.get(across)),
        )
        held.setdefault(place, []).append(entry)
    cells = [
        [min(held[row, column], key=_place) if (row, column) in held else None for column in columns]
        for row in rows
    ]
    return HeatMap(down, across, rows, columns, cells, any(len(one) > 1 for one in held.values()))


def _place(entry: Entry) -> tuple[int, float]:
    return _RANK[entry.mark], entry.perplexity if entry.perplexity is not None else float("inf")
