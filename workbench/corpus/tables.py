"""Tables in local files: what their readers have in common, and how a column is chosen among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from workbench.corpus.intake import Intake
from workbench.corpus.values import outer_column
from workbench.file_kinds import FileKind

SAMPLE_ROWS = 100
"""Values by which a column is judged."""
LOOKED_AT_ROWS = 10_000
LOOKED_AT_CHARACTERS = 32_000_000
"""How far a table is read for columns that hold nothing in its first rows."""
_LONGEST_SAMPLE = 10_000  # characters


class Table(NamedTuple):
    """How one kind of table is read.

    columns: the names in a file, given the name that is wanted or None. rows: the number of each row (`unit`:
    "line" or "row", from 1) and its values; only the column that is named must be in them.
    grows: whether later rows may have other columns.
    """

    columns: Callable[[Intake, Path, str | None], list[str]]
    rows: Callable[[Intake, Path, str | None], Iterator[tuple[int, dict[str, Any]]]]
    unit: str = "line"
    grows: bool = False


def reader_of(kind: FileKind) -> Any:
    """What reads files of a kind: a Table, or a function that gives their texts."""
    module, _, name = kind.reader.partition(":")
    return getattr(import_module(module), name)


def sample(table: Table, intake: Intake, path: Path, wanted: str | None) -> dict[str, list[object]]:
    """The first values of each column that are not empty; of a long text its beginning.

    Reads SAMPLE_ROWS rows, and on to LOOKED_AT_ROWS while the wanted column, or where none is wanted any
    column, has shown nothing, or there may be more.
    """
    found: dict[str, list[object]] = {name: [] for name in table.columns(intake, path, wanted)}
    characters = 0
    for count, (_, row) in enumerate(table.rows(intake, path, None), start=1):
        for name, value in row.items():
            values = found.setdefault(name, [])
            if isinstance(value, str):
                characters += len(value)
                value = value[:_LONGEST_SAMPLE]
            if value is not None and value != "" and len(values) < SAMPLE_ROWS:
                values.append(value)
        too_much = count >= LOOKED_AT_ROWS or characters >= LOOKED_AT_CHARACTERS
        if too_much or (count >= SAMPLE_ROWS and _shows_enough(table, found, wanted)):
            break
    return found


def first_values(rows: Any) -> dict[str, list[object]]:
    """The same of a table of the datasets library: the first values of its columns that are not empty."""
    found: dict[str, list[object]] = rows[: min(SAMPLE_ROWS, len(rows))]
    empty = [name for name, values in found.items() if not any(value not in (None, "") for value in values)]
    if empty and len(rows) > SAMPLE_ROWS:
        found |= rows.select_columns(empty)[SAMPLE_ROWS : min(LOOKED_AT_ROWS, len(rows))]
    there = {name: [value for value in values if value not in (None, "")] for name, values in found.items()}
    return {name: values[:SAMPLE_ROWS] for name, values in there.items()}


def _shows_enough(table: Table, found: dict[str, list[object]], wanted: str | None) -> bool:
    if wanted is None:
        return not table.grows and all(found.values())
    outer = outer_column(wanted, list(found))
    return outer is None or bool(found[outer])


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names of columns of which some are equal: those get their place among their equals."""
    equals, seen = Counter(names), Counter[str]()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if equals[name] > 1 else name)
    return tuple(found)
