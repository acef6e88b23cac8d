"""Where documents stand: in which file, and at which line, row or message of it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass(slots=True)
class Place:
    """Where the text stands that a reader has just given. number: from 1; 0: it is the whole file. unit: what
    is numbered: "line", "row" or "message".
    """

    path: Path
    number: int = 0
    unit: str = "line"


@dataclass
class Places:
    """The places of all documents of a source, by their row numbers (from 0).

    Kept is where a run of documents begins that stand in one file, one line after the other. Files are named
    within the folder that holds them all, so that an example is short.
    """

    unit: str = "line"
    files: list[str] = field(default_factory=list)
    rows: array[int] = field(default_factory=lambda: array("q"))
    of_file: array[int] = field(default_factory=lambda: array("q"))
    numbers: array[int] = field(default_factory=lambda: array("q"))

    def begin(self, row: int, file: str, number: int) -> None:
        """The document `row` does not follow the one before it."""
        if not self.files or self.files[-1] != file:
            self.files.append(file)
        self.rows.append(row)
        self.of_file.append(len(self.files) - 1)
        self.numbers.append(number)

    def of(self, row: int) -> str:
        """The place of a document, such as "a.csv, line 3"; "" where none is known."""
        run = bisect_right(self.rows, row) - 1
        if run < 0:
            return ""
        file, number = self.files[self.of_file[run]], self.numbers[run]
        return f"{file}, {self.unit} {number + row - self.rows[run]:,}" if number else file

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        runs = {name: list(getattr(self, name)) for name in ("rows", "of_file", "numbers")}
        return {"unit": self.unit, "files": self.files, **runs}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `as_json` gave. Raises KeyError and TypeError."""
        runs = (array("q", found[name]) for name in ("rows", "of_file", "numbers"))
        return cls(found["unit"], found["files"], *runs)
