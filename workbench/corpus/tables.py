"""Tables in local files: the interface of their readers, and samples of their columns."""

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
"""The number of values by which a column is judged."""
LOOKED_AT_ROWS = 10_000
LOOKED_AT_CHARACTERS = 32_000_000
"""How far a table is read for columns that are empty in its first rows."""
_LONGEST_SAMPLE = 10_000  # characters


class Table(NamedTuple):
    """The reader of one kind of table.

    columns: gives the column names of a file; its last argument is the requested column or None. rows: gives
    each row's number (its `unit` is "line" or "row", from 1) and its values, of which only the requested
    column is required. grows: whether later rows may have other columns.
    """

    columns: Callable[[Intake, Path, str | None], list[str]]
    rows: Callable[[Intake, Path, str | None], Iterator[tuple[int, dict[str, Any]]]]
    unit: str = "line"
    grows: bool = False


def reader_of(kind: FileKind) -> Any:
    """The reader of a kind of file: a Table, or a function that yields texts."""
    module, _, name = kind.reader.partition(":")
    return getattr(import_module(module), name)


def sample(table: Table, intake: Intake, path: Path, wanted: str | None) -> dict[str, list[object]]:
    """The first nonempty values of each column; long texts are shortened.

    Reads SAMPLE_ROWS rows. It continues up to LOOKED_AT_ROWS while the wanted column (or any column, if none
    is wanted) has no value yet, or new columns may appear.
    """
    samples: dict[str, list[object]] = {name: [] for name in table.columns(intake, path, wanted)}
    characters = 0
    for count, (_, row) in enumerate(table.rows(intake, path, None), start=1):
        for name, value in row.items():
            values = samples.setdefault(name, [])
            if isinstance(value, str):
                characters += len(value)
                value = value[:_LONGEST_SAMPLE]
            if value is not None and value != "" and len(values) < SAMPLE_ROWS:
                values.append(value)
        too_much = count >= LOOKED_AT_ROWS or characters >= LOOKED_AT_CHARACTERS
        if too_much or (count >= SAMPLE_ROWS and _is_enough(table, samples, wanted)):
            break
    return samples


def first_values(rows: Any) -> dict[str, list[object]]:
    """`sample` for a table of the datasets library: the first nonempty values of each column."""
    columns: dict[str, list[object]] = rows[: min(SAMPLE_ROWS, len(rows))]
    empty = [name for name, values in columns.items() if not any(value not in (None, "") for value in values)]
    if empty and len(rows) > SAMPLE_ROWS:
        columns |= rows.select_columns(empty)[SAMPLE_ROWS : min(LOOKED_AT_ROWS, len(rows))]
    filled = {
        name: [value for value in values if value not in (None, "")] for name, values in columns.items()
    }
    return {name: values[:SAMPLE_ROWS] for name, values in filled.items()}


def _is_enough(table: Table, samples: dict[str, list[object]], wanted: str | None) -> bool:
    if wanted is None:
        return not table.grows and all(samples.values())
    outer = outer_column(wanted, list(samples))
    return outer is None or bool(samples[outer])


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The column names, with those that occur more than once numbered."""
    equals, seen = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(f"{name} ({seen[name]})" if equals[name] > 1 else name)
    return tuple(numbered)
