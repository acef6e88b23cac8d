"""The texts in a column of tables."""

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
    """Tables of one kind, and the column of theirs that is read: every one must have it. Raises CorpusError.

    A file without rows is counted, not refused. `place`: of the text that `texts` gave last.
    """

    def __init__(self, paths: Sequence[Path], table: Table, wanted: str | None, intake: Intake) -> None:
        self._paths, self._table, self._intake = paths, table, intake
        self._guessed = wanted is None
        self._shown: set[str] = set()
        self._outer = ""
        self.place = Place(paths[0], unit=table.unit)
        self.column = self._chosen(wanted)

    def texts(self) -> Iterator[str | None]:
        """The value of the column in each row; None where there is nothing."""
        notes, column, place = self._intake.notes, self.column, self.place
        without = f"rows without text in the column {column!r}"
        reading = column if self._table.grows else self._outer
        for path in self._paths:
            place.path, place.number = path, 0
            for place.number, row in self._table.rows(self._intake, path, reading):
                if self._guessed and not row.keys() <= self._shown:
                    self._check_unknown(row)
                value = row.get(column) if self._outer == column else value_at(row, column)
                if type(value) is not str:
                    value = text_of(value, column, self._place(), self._count)
                if not value or value.isspace():
                    notes.count(without, self._place())
                yield value
            if place.number == 0:
                notes.count("files without rows", str(path))

    def replaced(self) -> None:
        """The text that was given last has half a character, which is replaced."""
        self._count("texts with half a character (a lone surrogate), replaced by ?")

    def _place(self) -> str:
        return f"{self.place.path}, {self.place.unit} {self.place.number}"

    def _count(self, what: str) -> None:
        self._intake.notes.count(what, self._place())

    def _chosen(self, wanted: str | None) -> str:
        """The text column, which every file must have."""
        looking = self._intake.looking()
        notes, chosen = self._intake.notes, wanted
        judged = False
        for path in self._paths:
            if judged:
                columns, shown = self._table.columns(looking, path, chosen), None
            else:
                shown = sample(self._table, looking, path, chosen)
                columns = list(shown)
                if not any(shown.values()) and self._is_empty(looking, path):
                    columns = []
            if not columns:
                continue
            chosen = choose_column(chosen, columns, shown or {}, str(path), notes)
            if not judged:
                self._outer = outer_column(chosen, columns) or chosen
                self._shown = {name for name in columns if (shown or {}).get(name)}
            judged = True
        if chosen is None or not judged:
            raise CorpusError(f"{self._paths[0]} holds no rows.", "Give a file with text in it.")
        return chosen

    def _is_empty(self, looking: Intake, path: Path) -> bool:
        return next(iter(self._table.rows(looking, path, None)), None) is None

    def _check_unknown(self, row: dict[str, Any]) -> None:
        """A row has columns that held nothing when the text column was guessed."""
        for name in row.keys() - self._shown:
            value = row[name]
            if value is None or value == "" or name == self.column:
                continue
            if name in USUAL_NAMES and isinstance(value, str):
                raise CorpusError(
                    f"{self._place()} has a column {name!r} that no row before it had; {self.column!r} was "
                    "guessed to be the text without it.",
                    f"Name the one that is meant: text_column = {name} or {self.column} (--text-column).",
                )
            self._count(f"rows with a column {name!r}, which no row had when the text column was guessed")
