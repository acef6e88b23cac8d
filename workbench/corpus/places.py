"""The places of documents: the file, and the line, row or message in it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass(slots=True)
class Place:
    """The place of the text that a reader yielded last. number: from 1; 0 for the whole file. unit: "line",
    "row" or "message".
    """

    path: Path
    number: int = 0
    unit: str = "line"


@dataclass
class Places:
    """The places of all documents of a source, by row number (from 0).

    Only the beginnings of runs are stored: documents in one file, one line after the other. Files are named
    relative to the folder that holds them all, to keep examples short.
    """

    unit: str = "line"
    files: list[str] = field(default_factory=list)
    rows: array[int] = field(default_factory=lambda: array("q"))
    of_file: array[int] = field(default_factory=lambda: array("q"))
    numbers: array[int] = field(default_factory=lambda: array("q"))

    def begin(self, row: int, file: str, number: int) -> None:
        """Start a new run with the document `row`."""
        if not self.files or self.files[-1] != file:
            self.files.append(file)
        self.rows.append(row)
        self.of_file.append(len(self.files) - 1)
        self.numbers.append(number)

    def of(self, row: int) -> str:
        """The place of a document, such as "a.csv, line 3"; "" if unknown."""
        run = bisect_right(self.rows, row) - 1
        if run < 0:
            return ""
        file, number = self.files[self.of_file[run]], self.numbers[run]
        return f"{file}, {self.unit} {number + row - self.rows[run]:,}" if number else file

    def as_json(self) -> dict[str, Any]:
        """The places as plain values."""
        runs = {name: list(getattr(self, name)) for name in ("rows", "of_file", "numbers")}
        return {"unit": self.unit, "files": self.files, **runs}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `as_json`. Raises KeyError and TypeError."""
        runs = (array("q", values[name]) for name in ("rows", "of_file", "numbers"))
        return cls(values["unit"], values["files"], *runs)
