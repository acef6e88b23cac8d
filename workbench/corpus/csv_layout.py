"""How a CSV or TSV file is written: its delimiter, its quotes and its header, found in its first rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

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
"""doubled: quotes within quotes are doubled, as RFC 4180 has it. escaped: they are written \\". none: quotes
are text. spaced: doubled, and a blank may follow a delimiter.
"""

_TEXT_NAMES = frozenset({"text", "document", "content", "article", "body", "abstract", "sentence", "label"})
_NUMBER = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?%?", re.IGNORECASE)
_ESCAPE = re.compile(r'\\(["\\]?)')
_MOST_NAMED = 12
_AROUND_NAMES = " \t\r\n\xa0\u200b\ufeff"
_FEWEST_LINES = 3
_LONGEST_NAME, _MOST_WORDS = 60, 6
"""Of a column; what is longer is a text."""


@dataclass(frozen=True)
class Layout:
    """header_line: 0 where there is none. skipped: lines before the header or the first row. undivided: what
    every line of a table of one column has equally often, as if it were a delimiter.
    """

    delimiter: str
    quoting: Quoting
    names: tuple[str, ...]
    header_line: int
    skipped: int
    undivided: str = ""

    def described(self) -> str:
        """What was found, for the person."""
        quotes = {
            "none": "quotes are text",
            "escaped": 'quotes within quotes are written \\"',
            "spaced": "blanks follow the delimiters",
        }.get(self.quoting)
        names = ", ".join((*self.names[:_MOST_NAMED], *["…"] * (len(self.names) > _MOST_NAMED)))
        header = f"header {names}" if self.header_line else f"no header, columns called {names}"
        parts = (f"divided by {DELIMITERS.get(self.delimiter, repr(self.delimiter))}", quotes, header)
        return "; ".join(filter(None, parts))


def find_layout(lines: Sequence[str], whole: bool, suffix: str, wanted: str | None) -> Layout | None:
    """The layout of a file that begins with these lines, which keep their ends; None if all are blank.

    whole: they are all there are. suffix: ".csv" or ".tsv". wanted: the column that is asked for, if any: a
    first row that has it is a header.
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
    """Python's csv over lines with their ends, strict. Raises csv.Error."""
    csv.field_size_limit(2**31 - 1)  # its own limit, 128 KiB, is less than a long article
    if quoting == "escaped":
        lines = (_ESCAPE.sub(_kept, line) if "\\" in line else line for line in lines)
        return csv.reader(lines, delimiter=delimiter, strict=True, doublequote=True, escapechar="\\")
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=quoting == "spaced")


def unquoted(line: str, delimiter: str) -> list[str]:
    """The fields of a line in which quotes are text."""
    return line.rstrip("\r\n").split(delimiter)


def fits(row: Sequence[str], width: int) -> bool:
    """Whether a row has as many fields as the header, but for empty ones at its end."""
    return len(row) == width or (len(row) > width > 0 and not any(row[width:]))


def _kept(found: re.Match[str]) -> str:
    """A backslash that escapes no quote stays; csv takes one away."""
    return found[0] if found[1] else "\\\\"


def _best(
    lines: Sequence[str], whole: bool, declared: str, usual: str
) -> tuple[str, Quoting, list[list[str]]]:
    """Delimiter, quoting, and the rows read with them as far as they can be."""
    candidates = [declared] if declared else sorted(DELIMITERS, key=lambda sign: sign != usual)
    tried = [
        (delimiter, quoting, *_tried(lines, whole, delimiter, quoting))
        for delimiter in candidates
        for quoting in ("doubled", "escaped", "spaced", "none")
        if (quoting != "none" or delimiter == "\t") and _may_be(lines, quoting)
    ]
    clean = [one for one in tried if one[3] and len(one[2][0]) > 1]
    divided = [one for one in tried if one[2] and len(one[2][0]) > 1]
    if clean:
        delimiter = clean[0][0]
        if delimiter != usual and not declared:
            delimiter = max(clean, key=lambda one: len(one[2][0]))[0]
        fitting = [one for one in clean if one[0] == delimiter]
    elif divided:  # what is wrong is told when it is read
        delimiter = max(divided, key=lambda one: _share(one[2]))[0]
        fitting = [one for one in divided if one[0] == delimiter]
    else:
        fitting = [one for one in tried if one[0] == candidates[0]]
        fitting = sorted(fitting, key=lambda one: not one[3])
    chosen = fitting[0]
    if chosen[0] == "\t":
        chosen = _of_tabs(fitting)
    return chosen[0], chosen[1], chosen[2]


def _undivided(lines: Sequence[str]) -> str:
    """A sign that all these lines have equally often; "" where there is none, or few lines."""
    filled = [line for line in lines if line.strip()]
    signs = dict.fromkeys(re.findall(r"[^\w\s\"'.,!?]+", filled[0]))
    if len(filled) < _FEWEST_LINES:
        return ""
    return next((sign for sign in signs if len({line.count(sign) for line in filled}) == 1), "")


def _may_be(lines: Sequence[str], quoting: Quoting) -> bool:
    """Whether there is any sign of a quoting in the lines."""
    sign = {"escaped": '\\"', "spaced": ' "'}.get(quoting, "")
    return any(sign in line for line in lines)


def _tried(
    lines: Sequence[str], whole: bool, delimiter: str, quoting: Quoting
) -> tuple[list[list[str]], bool]:
    """The rows, and whether they are all well-formed and as wide as the first."""
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
        # the last row of a sample may be cut within its quotes
        open_at_end = not whole and bool(rows) and getattr(table, "line_num", 0) >= len(lines)
        return rows, open_at_end
    return rows, bool(rows)


def _share(rows: Sequence[Sequence[str]]) -> float:
    return sum(fits(row, len(rows[0])) for row in rows) / len(rows)


def _of_tabs(
    fitting: list[tuple[str, Quoting, list[list[str]], bool]],
) -> tuple[str, Quoting, list[list[str]], bool]:
    """Of the ways to read a file divided by tabs: quotes are text unless it is quoted throughout, or can be
    read in no other way.
    """
    plain = next((one for one in fitting if one[1] == "none"), None)
    quoted = next((one for one in fitting if one[1] != "none" and one[3]), None)
    if plain is None:
        return fitting[0]
    if quoted is None:
        return plain
    if not plain[3]:
        return quoted
    fields = [field for row in plain[2][1:] for field in row if field and not _NUMBER.fullmatch(field)]
    inside = [field[1:-1] for field in fields if len(field) > 1 and field[0] == field[-1] == '"']
    throughout = bool(fields) and len(inside) == len(fields)
    doubled = any('""' in text.replace('""""', "") for text in inside)
    return quoted if throughout or doubled else plain


def _is_header(first: Sequence[str], rows: Sequence[Sequence[str]], wanted: str | None) -> bool:
    """Whether the first row names the columns, by what it looks like and whether its cells come again."""
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
    """Whether a cell cannot name a column: a number, or a text."""
    long = len(cell) > _LONGEST_NAME or len(cell.split()) > _MOST_WORDS or "\n" in cell
    return long or _NUMBER.fullmatch(cell) is not None or cell[-1] in ".!?…。！？"
