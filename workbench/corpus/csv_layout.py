"""Detects the layout of a CSV or TSV file (delimiter, quoting and header) from its first rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workbench.corpus.tables import distinct

DELIMITERS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    "^": "carets",
    "~": "tildes",
    "\x01": "the control character 1",
    "\x1f": "the control character 31",
}
Quoting = str
"""doubled: quotes inside quotes are doubled (RFC 4180). escaped: they are written \\". none: quotes are part
of the text. spaced: doubled, and a space may follow a delimiter.
"""

_TEXT_NAMES = frozenset({"text", "document", "content", "article", "body", "abstract", "sentence", "label"})
_NUMBER = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?%?", re.IGNORECASE)
_ESCAPE = re.compile(r'\\(["\\]?)')
_MOST_NAMED = 12
_AROUND_NAMES = " \t\r\n\xa0\u200b\ufeff"
_FEWEST_LINES = 3
_LONGEST_NAME, _MOST_WORDS = 60, 6
"""The limits of a column name, in characters and words; a longer cell is text."""


@dataclass(frozen=True)
class Layout:
    """header_line: 0 if there is none. skipped: the lines before the header or the first row. undivided: in a
    table of one column, a sign that occurs equally often in every line, like a delimiter.
    """

    delimiter: str
    quoting: Quoting
    names: tuple[str, ...]
    header_line: int
    skipped: int
    undivided: str = ""

    def described(self) -> str:
        """The layout as text for the user."""
        quotes = {
            "none": "quotes are part of the text",
            "escaped": 'quotes inside quotes are written \\"',
            "spaced": "spaces after delimiters",
        }.get(self.quoting)
        names = ", ".join((*self.names[:_MOST_NAMED], *["…"] * (len(self.names) > _MOST_NAMED)))
        header = f"header {names}" if self.header_line else f"no header, columns named {names}"
        parts = (f"separated by {DELIMITERS.get(self.delimiter, repr(self.delimiter))}", quotes, header)
        return "; ".join(filter(None, parts))


def find_layout(lines: Sequence[str], whole: bool, suffix: str, wanted: str | None) -> Layout | None:
    """The layout of a file that begins with these lines (with line ends); None if all are blank.

    whole: whether these are all lines. suffix: ".csv" or ".tsv". wanted: the requested column, if any; a
    first row that contains it is a header.
    """
    skipped, declared = 0, ""
    while skipped < len(lines) and not declared:
        line = lines[skipped].strip("\r\n")
        if line.lower().startswith("sep=") and len(line) == 5:
            declared = line[4]
        elif line.strip(" \t"):
            break
        skipped += 1
    while skipped < len(lines) and not lines[skipped].strip():
        skipped += 1
    rest = lines[skipped:]
    if not rest:
        return None
    delimiter, quoting, table = _best(rest, whole, declared, "\t" if suffix == ".tsv" else ",")
    first = table[0] if table else [rest[0].strip("\r\n")]
    header = _is_header(first, table[1:], wanted)
    names = tuple(
        (name.strip(_AROUND_NAMES) if header else "") or f"column_{n + 1}" for n, name in enumerate(first)
    )
    undivided = _undivided(rest if whole else rest[:-1]) if len(names) == 1 else ""
    return Layout(delimiter, quoting, distinct(names), skipped + 1 if header else 0, skipped, undivided)


def reader(lines: Iterable[str], delimiter: str, quoting: Quoting) -> Iterator[list[str]]:
    """Python's csv reader in strict mode, over lines with their ends. Raises csv.Error."""
    csv.field_size_limit(2**31 - 1)  # the default, 128 KiB, is less than a long article
    if quoting == "escaped":
        lines = (_ESCAPE.sub(_kept, line) if "\\" in line else line for line in lines)
        return csv.reader(lines, delimiter=delimiter, strict=True, doublequote=True, escapechar="\\")
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=quoting == "spaced")


def unquoted(line: str, delimiter: str) -> list[str]:
    """The fields of a line in which quotes are part of the text."""
    return line.rstrip("\r\n").split(delimiter)


def fits(row: Sequence[str], width: int) -> bool:
    """Whether a row has as many fields as the header, not counting empty ones at its end."""
    return len(row) == width or (len(row) > width > 0 and not any(row[width:]))


def _kept(escape: re.Match[str]) -> str:
    """Double a backslash that escapes no quote, because csv removes one."""
    return escape[0] if escape[1] else "\\\\"


class _Attempt(NamedTuple):
    """The rows of a sample under one delimiter and quoting; is_clean: whether all of them parse and fit."""

    delimiter: str
    quoting: Quoting
    rows: list[list[str]]
    is_clean: bool

    @property
    def width(self) -> int:
        return len(self.rows[0])


def _best(
    lines: Sequence[str], whole: bool, declared: str, usual: str
) -> tuple[str, Quoting, list[list[str]]]:
    """The best delimiter and quoting, and the rows up to the first error with them."""
    candidates = [declared] if declared else sorted(DELIMITERS, key=lambda sign: sign != usual)
    attempts = [
        _Attempt(delimiter, quoting, *_parsed(lines, whole, delimiter, quoting))
        for delimiter in candidates
        for quoting in ("doubled", "escaped", "spaced", "none")
        if (quoting != "none" or delimiter == "\t") and _may_be(lines, quoting)
    ]
    tables = [attempt for attempt in attempts if attempt.rows and attempt.width > 1]
    clean = [attempt for attempt in tables if attempt.is_clean]
    if clean:
        delimiter = clean[0].delimiter
        if delimiter != usual and not declared:
            delimiter = max(clean, key=lambda attempt: attempt.width).delimiter
        fitting = [attempt for attempt in clean if attempt.delimiter == delimiter]
    elif tables:  # reading the file reports what is wrong
        delimiter = max(tables, key=lambda attempt: _share(attempt.rows)).delimiter
        fitting = [attempt for attempt in tables if attempt.delimiter == delimiter]
    else:
        fitting = [attempt for attempt in attempts if attempt.delimiter == candidates[0]]
        fitting = sorted(fitting, key=lambda attempt: not attempt.is_clean)
    chosen = fitting[0]
    if chosen.delimiter == "\t":
        chosen = _best_of_tabs(fitting)
    return chosen.delimiter, chosen.quoting, chosen.rows


def _undivided(lines: Sequence[str]) -> str:
    """A sign that occurs equally often in all these lines; "" if there is none, or for few lines."""
    filled = [line for line in lines if line.strip()]
    signs = dict.fromkeys(re.findall(r"[^\w\s\"'.,!?]+", filled[0]))
    if len(filled) < _FEWEST_LINES:
        return ""
    return next((sign for sign in signs if len({line.count(sign) for line in filled}) == 1), "")


def _may_be(lines: Sequence[str], quoting: Quoting) -> bool:
    """Whether any line shows a sign of this quoting."""
    sign = {"escaped": '\\"', "spaced": ' "'}.get(quoting, "")
    return any(sign in line for line in lines)


def _parsed(
    lines: Sequence[str], whole: bool, delimiter: str, quoting: Quoting
) -> tuple[list[list[str]], bool]:
    """The rows, and whether all of them are well-formed and as wide as the first."""
    rows: list[list[str]] = []
    if quoting == "none":
        rows = [unquoted(line, delimiter) for line in lines if line.strip()]
        return rows, all(fits(row, len(rows[0])) for row in rows)
    table = reader(lines, delimiter, quoting)
    try:
        for row in table:
            if row:
                rows.append(row)
                if not fits(row, len(rows[0])):
                    return rows, False
    except csv.Error:
        # the last row of a sample may be cut inside quotes
        open_at_end = not whole and bool(rows) and getattr(table, "line_num", 0) >= len(lines)
        return rows, open_at_end
    return rows, bool(rows)


def _share(rows: Sequence[Sequence[str]]) -> float:
    return sum(fits(row, len(rows[0])) for row in rows) / len(rows)


def _best_of_tabs(fitting: list[_Attempt]) -> _Attempt:
    """The best attempt for a tab-separated file: quotes are part of the text, unless every field is quoted or
    the file cannot be parsed otherwise.
    """
    plain = next((attempt for attempt in fitting if attempt.quoting == "none"), None)
    quoted = next((attempt for attempt in fitting if attempt.quoting != "none" and attempt.is_clean), None)
    if plain is None:
        return fitting[0]
    if quoted is None:
        return plain
    if not plain.is_clean:
        return quoted
    fields = [field for row in plain.rows[1:] for field in row if field and not _NUMBER.fullmatch(field)]
    inside = [field[1:-1] for field in fields if len(field) > 1 and field[0] == field[-1] == '"']
    throughout = bool(fields) and len(inside) == len(fields)
    doubled = any('""' in text.replace('""""', "") for text in inside)
    return quoted if throughout or doubled else plain


def _is_header(first: Sequence[str], rows: Sequence[Sequence[str]], wanted: str | None) -> bool:
    """Whether the first row is a header, judged by its look and whether its cells occur again."""
    cells = [cell.strip() for cell in first]
    if wanted is not None and (wanted in cells or wanted.split(".")[0] in cells):
        return True
    if any(cell.lower() in _TEXT_NAMES for cell in cells):
        return True
    if any(not cell for cell in cells[1:]) or any(map(_is_no_name, filter(None, cells))):
        return False
    for place, cell in enumerate(cells):
        column = Counter(
            row[place].strip() for row in rows if len(row) == len(cells) and list(row) != list(first)
        )
        if cell and column[cell]:
            return False
    return any(cells)


def _is_no_name(cell: str) -> bool:
    """Whether a cell cannot be a column name, because it is a number or a text."""
    long = len(cell) > _LONGEST_NAME or len(cell.split()) > _MOST_WORDS or "\n" in cell
    return long or _NUMBER.fullmatch(cell) is not None or cell[-1] in ".!?…。！？"
