"""A table in plain text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from workbench.text import printable


def table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Rows, the first one titles, as aligned columns that are never cut; `right`: columns of numbers."""
    clean = [[printable(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[index]) for row in clean) for index in range(len(clean[0]))]
    lines = []
    for row in clean:
        cells = []
        for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
            padding = " " * (width - cell_len(cell))
            cells.append(padding + cell if index in right else cell + padding)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
