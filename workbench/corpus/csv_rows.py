"""Reads the rows of .csv and .tsv files with Python's csv in strict mode.

Arrow's reader takes an unclosed quote for a field that reaches to the end of the file, and reports no line
numbers. Python's reader gives the line of each row, which the checks here need.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.corpus.csv_layout import Layout, find_layout, fits, reader, unquoted
from workbench.corpus.intake import Intake
from workbench.corpus.notes import Notes
from workbench.corpus.swallowed import RowsInFields
from workbench.corpus.tables import Table
from workbench.errors import CorpusError
from workbench.file_kinds import suffixes_of

_SAMPLE_LINES = 2_000
_SAMPLE_CHARACTERS = 2_000_000
_MOST_LINES, _MOST_CHARACTERS = 100_000, 200_000_000
"""The limits of one row; a longer one has an unclosed quote."""
_AS_TEXT = "If each line is a document, rename the file to end in .txt."


def _columns(intake: Intake, path: Path, wanted: str | None) -> list[str]:
    layout = _layout(intake, path, wanted)
    return list(layout.names) if layout else []


def _layout(intake: Intake, path: Path, wanted: str | None) -> Layout | None:
    lines: list[str] = []
    characters, whole = 0, True
    for line in intake.silent().lines(path, ends=True):
        if len(lines) >= _SAMPLE_LINES or characters >= _SAMPLE_CHARACTERS:
            whole = False
            break
        lines.append(line)
        characters += len(line)
    return find_layout(lines, whole, suffixes_of(path)[0], wanted)


def _rows(intake: Intake, path: Path, column: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    layout = _layout(intake, path, column)
    if layout is None:
        intake.finished(path)
        return
    notes = intake.notes
    _tell_layout(layout, path, notes)
    width, names = len(layout.names), layout.names
    swallowed = RowsInFields(layout)
    header: list[str] | None = None
    for number, last, row in _numbered(intake, path, layout):
        if not row or (len(row) == 1 < width and not row[0].strip()):
            notes.count("blank lines in tables, left out", f"{path}, line {number}", level="info")
            continue
        if number == layout.header_line:
            header = row
            continue
        if len(row) != width:
            if not fits(row, width):
                raise _ragged(path, number, row, layout)
            notes.count("rows with extra empty fields at the end", f"{path}, line {number}")
            row = row[:width]
        if row == header:
            notes.count("repeated header rows, left out", f"{path}, line {number}")
            continue
        if last > number:
            notes.count("rows over several lines", f"{path}, line {number}", level="info")
            inside = swallowed.line_of(row)
            if inside:
                raise _open_quote(path, number, f"it contains whole rows from line {number + inside} on")
        else:
            swallowed.learn(row)
        yield number, dict(zip(names, row, strict=True))


def _tell_layout(layout: Layout, path: Path, notes: Notes) -> None:
    notes.count(f"CSV or TSV files {layout.described()}", str(path), level="info")
    if layout.undivided:
        sign = repr(layout.undivided)
        notes.count(f"tables read as one column, although every line contains {sign}", str(path))


def _numbered(intake: Intake, path: Path, layout: Layout) -> Iterator[tuple[int, int, list[str]]]:
    """The first line, last line and fields of each row; a blank line has no fields."""
    lines = intake.lines(path, ends=True)
    for _ in range(layout.skipped):
        next(lines)
    if layout.quoting == "none":
        for number, line in enumerate(lines, start=layout.skipped + 1):
            row = unquoted(line, layout.delimiter) if line.strip("\r\n") else []
            if '"' in line and any(len(field) > 1 and field[0] == field[-1] == '"' for field in row):
                where = f"{path}, line {number}"
                intake.notes.count("fields whose quotes are kept as text", where, level="info")
            yield number, number, row
        return
    yield from _quoted(lines, path, layout, intake.notes)


def _quoted(
    lines: Iterator[str], path: Path, layout: Layout, notes: Notes
) -> Iterator[tuple[int, int, list[str]]]:
    """`_numbered` for a file with quotes. After the first row with \\" for a quote, all rows are read that
    way.
    """
    feed = _Feed(lines, layout.skipped, path)
    quoting = layout.quoting
    table = reader(feed, layout.delimiter, quoting)
    while True:
        feed.begin()
        try:
            row = next(table, None)
        except csv.Error as error:
            if quoting == "doubled" and any('\\"' in line for line in feed.row):
                quoting = "escaped"
                notes.count('tables with quotes written \\" from some row on', f"{path}, line {feed.first}")
                feed.again()
                table = reader(feed, layout.delimiter, quoting)
                continue
            raise _not_strict(path, feed, error) from error
        if row is None:
            return
        yield feed.first, feed.number, row


class _Feed:
    """Feeds lines to csv, and knows where the current row began."""

    def __init__(self, lines: Iterator[str], skipped: int, path: Path) -> None:
        self._lines, self._path = lines, path
        self._waiting: deque[str] = deque()
        self.number, self.first = skipped, skipped + 1
        self.row: list[str] = []
        self._characters = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self.number += 1
        self.row.append(line)
        self._characters += len(line)
        if len(self.row) > _MOST_LINES or self._characters > _MOST_CHARACTERS > len(line):
            raise _open_quote(self._path, self.first, f"it is still open in line {self.number}")
        return line

    def begin(self) -> None:
        """Mark the next line as the first of a row."""
        self.first, self._characters = self.number + 1, 0
        self.row.clear()

    def again(self) -> None:
        """Feed the lines of the current row once more."""
        self._waiting.extendleft(reversed(self.row))
        self.number = self.first - 1
        self.begin()


def _not_strict(path: Path, feed: _Feed, error: csv.Error) -> CorpusError:
    """A clear error for what csv cannot parse."""
    if feed.number > feed.first or "end of data" in str(error):
        return _open_quote(path, feed.first, f"no closing quote ends a field up to line {feed.number}")
    if "new-line" in str(error):
        return CorpusError(
            f"{path}, line {feed.first} has a carriage return inside an unquoted field.",
            "Use the same line ends throughout, or put the field in quotes.",
        )
    return CorpusError(
        f"{path}, line {feed.first}: text follows the closing quote of a field.",
        'Put the whole field in quotes, and double each quote inside it (""). ' + _AS_TEXT,
    )


def _open_quote(path: Path, number: int, why: str) -> CorpusError:
    return CorpusError(
        f"{path}, line {number}: a quote opens in this row and is not closed: {why}.",
        'Close it. If it is part of the text, put the field in quotes and double it ("").',
    )


def _ragged(path: Path, number: int, row: list[str], layout: Layout) -> CorpusError:
    width = len(layout.names)
    what = "header" if layout.header_line else "first row"
    fields = f"{len(row)} field{'s' * (len(row) != 1)}"
    return CorpusError(
        f"{path}, line {number} has {fields}, but the {what} has {width} ({', '.join(layout.names)}).",
        "Put fields that contain the delimiter or a line end in quotes"
        + (", or remove the line." if width > 1 else f". {_AS_TEXT}"),
    )


TABLE = Table(_columns, _rows)
