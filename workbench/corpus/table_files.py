"""Reads the text column of table files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.corpus.columns import USUAL_NAMES, choose_column
from workbench.corpus.intake import Intake
from workbench.corpus.places import Place
from workbench.corpus.tables import Table, sample
from workbench.corpus.values import outer_column, text_of, value_at
from workbench.errors import CorpusError


class TableFiles:
    """The text column of tables of one kind. Raises CorpusError if a table lacks it.

    Files without rows are counted, not refused. place: of the last text of `texts`.
    """

    def __init__(self, paths: Sequence[Path], table: Table, wanted: str | None, intake: Intake) -> None:
        self._paths, self._table, self._intake = paths, table, intake
        self._guessed = wanted is None
        self._judged_columns: set[str] = set()
        self._outer = ""
        self.place = Place(paths[0], unit=table.unit)
        self.column = self._chosen(wanted)

    def texts(self) -> Iterator[str | None]:
        """The text of each row; None if it has none."""
        notes, column, place = self._intake.notes, self.column, self.place
        without = f"rows without text in the column {column!r}"
        reading = column if self._table.grows else self._outer
        for path in self._paths:
            place.path, place.number = path, 0
            for place.number, row in self._table.rows(self._intake, path, reading):
                if self._guessed and not row.keys() <= self._judged_columns:
                    self._check_new_columns(row)
                value = row.get(column) if self._outer == column else value_at(row, column)
                if type(value) is not str:
                    value = text_of(value, column, self._place(), self._count)
                if not value or value.isspace():
                    notes.count(without, self._place())
                yield value
            if place.number == 0:
                notes.count("files without rows", str(path))

    def replaced(self) -> None:
        """Count the last text as one with a lone surrogate, which is replaced."""
        self._count("texts with half a character (a lone surrogate), replaced with ?")

    def _place(self) -> str:
        return f"{self.place.path}, {self.place.unit} {self.place.number}"

    def _count(self, what: str) -> None:
        self._intake.notes.count(what, self._place())

    def _chosen(self, wanted: str | None) -> str:
        """The text column, which every file must have."""
        silent = self._intake.silent()
        notes, chosen = self._intake.notes, wanted
        judged = False
        for path in self._paths:
            if judged:
                columns, values = self._table.columns(silent, path, chosen), None
            else:
                values = sample(self._table, silent, path, chosen)
                columns = list(values)
                if not any(values.values()) and self._is_empty(silent, path):
                    columns = []
            if not columns:
                continue
            chosen = choose_column(chosen, columns, values or {}, str(path), notes)
            if not judged:
                self._outer = outer_column(chosen, columns) or chosen
                self._judged_columns = {name for name in columns if (values or {}).get(name)}
            judged = True
        if chosen is None or not judged:
            raise CorpusError(f"{self._paths[0]} holds no rows.", "Give a file with text in it.")
        return chosen

    def _is_empty(self, silent: Intake, path: Path) -> bool:
        return next(iter(self._table.rows(silent, path, None)), None) is None

    def _check_new_columns(self, row: dict[str, Any]) -> None:
        """Check a row's columns that had no values when the text column was guessed. Raises CorpusError."""
        for name in row.keys() - self._judged_columns:
            value = row[name]
            if value is None or value == "" or name == self.column:
                continue
            if name in USUAL_NAMES and isinstance(value, str):
                raise CorpusError(
                    f"{self._place()} has a column {name!r} that no earlier row had; {self.column!r} was "
                    "guessed as the text column without it.",
                    f"Set text_column (--text-column) to {name} or {self.column}.",
                )
            self._count(f"rows with a column {name!r}, which was not seen when the text column was guessed")
