"""Detects table rows inside a field, which an unclosed quote has swallowed."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from workbench.corpus.csv_layout import Layout, reader, unquoted

_LETTERS, _DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d[\d.,]*")
_MOST_VALUES, _MOST_SHAPES = 50, 3
_LONGEST_CODE = 40  # characters
_ENOUGH_ROWS = 2
"""The rows from which a column's values can be judged."""


class RowsInFields:
    """Learns which columns hold values of few shapes (numbers, dates, codes with digits) or few different
    values. A line inside a field that matches all of these columns is a row.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._rows = 0
        self._shapes: list[set[str] | None] = [set() for _ in layout.names]
        self._values: list[set[str] | None] = [set() for _ in layout.names]

    def learn(self, row: Sequence[str]) -> None:
        """Learn from a row that is on a line of its own."""
        self._rows += 1
        for place, value in enumerate(row):
            shapes = self._shapes[place]
            if shapes is not None:
                shapes.add(_shape(value))
                if "" in shapes or len(shapes) > _MOST_SHAPES:
                    self._shapes[place] = None
            values = self._values[place]
            if values is not None and value not in values:
                values.add(value)
                if len(values) > _MOST_VALUES:
                    self._values[place] = None

    def line_of(self, row: Sequence[str]) -> int:
        """The offset of the first line inside a field of `row` that is itself a row; 0 if there is none."""
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
        matches = [self._matches(place, value) for place, value in enumerate(fields)]
        return False not in matches and True in matches

    def _matches(self, place: int, value: str) -> bool | None:
        """Whether a value fits its column; None if the column may hold anything."""
        shapes = self._shapes[place]
        if shapes is not None:
            return _shape(value) in shapes
        values = self._values[place]
        if values is None or 2 * len(values) > self._rows:
            return None
        return value in values


def _shape(value: str) -> str:
    """The shape of a number, a date or a code, such as "a-0" for "id-17"; "" for anything else."""
    if len(value) > _LONGEST_CODE or not any(map(str.isdigit, value)):
        return ""
    shape = _LETTERS.sub("a", _DIGITS.sub("0", value.strip()))
    return "" if any(map(str.isspace, shape)) and "a" in shape else shape.lstrip("+-")
