"""Rows as CSV, JSON or Parquet, by the file's ending."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import UsageError, WorkbenchError
from workbench.metrics import as_json
from workbench.private import write_whole

ENDINGS = (".csv", ".json", ".parquet")
Row = Mapping[str, Any]


def check_ending(file: Path) -> None:
    """Raise UsageError for an unsupported ending."""
    if file.suffix.lower() not in ENDINGS:
        raise UsageError(f"{file}: the ending decides the format.", f"Endings: {', '.join(ENDINGS)}.")


def write_table(rows: Sequence[Row], file: Path) -> None:
    """Write rows with the same keys, whole or not at all, replacing a file of that name.

    Values are numbers, text, booleans or None. Non-finite numbers are kept in CSV and Parquet, and null in
    JSON, which cannot hold them. Raises UsageError for another ending, WorkbenchError if the disk refuses.
    """
    check_ending(file)
    write = {".csv": _csv, ".json": _json, ".parquet": _parquet}[file.suffix.lower()]
    put_in_place(write(rows), file)


def put_in_place(content: bytes, file: Path) -> None:
    """Write a file, whole or not at all. Raises WorkbenchError."""
    file = file.expanduser()
    try:
        write_whole(file, content)
    except OSError as error:
        raise WorkbenchError(f"{file} cannot be written: {error.strerror or error}.") from error


def flat(values: Row, *, prefix: str = "") -> dict[str, Any]:
    """The values with nested keys joined, as in `recipe.epochs`, and lists joined by commas."""
    flattened: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flattened |= flat(value, prefix=f"{prefix}{key}.")
        else:
            flattened[prefix + key] = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return flattened


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _keys(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", errors="replace")


def _json(rows: Sequence[Row]) -> bytes:
    return (json.dumps(as_json(list(map(dict, rows))), indent=2, allow_nan=False) + "\n").encode()


def _parquet(rows: Sequence[Row]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    columns = {key: _column([row.get(key) for row in rows]) for key in _keys(rows)}
    target = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), target)
    return target.getvalue()


def _column(values: list[Any]) -> Any:
    """A typed array: numbers if all are, text if they are mixed (a size is a number of rows or a share)."""
    import pyarrow

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        values = [None if value is None else float(value) for value in values]
    elif len(kinds) > 1:
        values = [None if value is None else str(value) for value in values]
    # a file name may hold a lone surrogate, which Arrow refuses
    clean = [
        value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in values
    ]
    return pyarrow.array(clean, type=None if kinds else pyarrow.string())


def _keys(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))
