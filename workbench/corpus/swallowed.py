"""Rows of a table inside one of its fields: what a quote that is not closed has swallowed."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from workbench.corpus.csv_layout import Layout, reader, unquoted

_LETTERS, _DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d[\d.,]*")
_MOST_VALUES, _MOST_SHAPES = 50, 3
_LONGEST_CODE = 40  # characters
_ENOUGH_ROWS = 2
"""Rows after which a column's values are known well enough."""


class RowsInFields:
    """Learns what the columns hold: numbers, dates and codes with digits, which have few shapes, or a few
    values that come again and again. Lines of a field that have all these where the table has them are rows.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._rows = 0
        self._shapes: list[set[str] | None] = [set() for _ in layout.names]
        self._values: list[set[str] | None] = [set() for _ in layout.names]

    def learn(self, row: Sequence[str]) -> None:
        """A row that stands on a line of its own."""
        self._rows += 1
        for place, value in enumerate(row):
            shapes = self._shapes[place]
            if shapes is not None:
                shapes.add(_shape(value))
                if "" in shapes or len(shapes) > _MOST_SHAPES:
                    self._shapes[place] = None
            known = self._values[place]
            if known is not None and value not in known:
                known.add(value)
                if len(known) > _MOST_VALUES:
                    self._values[place] = None

    def line_of(self, row: Sequence[str]) -> int:
        """How many lines after its first a field of `row` has a line that is a row; 0: none has."""
        before = 0
        for field in row:
            for offset, line in enumerate(field.splitlines()[1:], start=1):
                if self._is_row(line):
                    return before + offset
            before += field.count("\n")
        return 0

    def _is_row(self, line: str) -> bool:
        if self._rows < _ENOUGH_ROWS or len(self._layout.names) < 2:
            return False
        try:
            fields = next(reader([line], self._layout.delimiter, "doubled"), [])
        except csv.Error:
            fields = unquoted(line, self._layout.delimiter)
        if len(fields) != len(self._shapes):
            return False
        told = [self._told(place, value) for place, value in enumerate(fields)]
        return False not in told and True in told

    def _told(self, place: int, value: str) -> bool | None:
        """Whether a value is one of its column's; None where any value might be."""
        shapes = self._shapes[place]
        if shapes is not None:
            return _shape(value) in shapes
        known = self._values[place]
        if known is None or 2 * len(known) > self._rows:
            return None
        return value in known


def _shape(value: str) -> str:
    """How a number, a date or a code looks: "a-0" for "id-17"; "" for anything else."""
    if len(value) > _LONGEST_CODE or not any(map(str.isdigit, value)):
        return ""
    found = _LETTERS.sub("a", _DIGITS.sub("0", value.strip()))
    return "" if any(map(str.isspace, found)) and "a" in found else found.lstrip("+-")
