"""Readers of local files: .txt, .jsonl, .csv, .parquet.

All read row by row or batch by batch, and name file and line in what they refuse.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from workbench.errors import CorpusError

SAMPLE_ROWS = 100
_LONGEST_SAMPLE = 10_000  # characters
_PARQUET_ROWS = 32  # at once: a few kilobytes of dictionary may unpack to many megabytes a row
_UNLIMITED_FIELD = 2**31 - 1  # csv's own limit, 128 KiB, is less than a long article
_CONVERT = "Convert it to UTF-8: iconv -f latin1 -t utf-8 FILE > NEW."


class Reader(NamedTuple):
    """How one kind of file is read. `rows` gives each row as column -> value."""

    columns: Callable[[Path], list[str]]
    rows: Callable[[Path, str | None], Iterator[dict[str, Any]]]


def lines(path: Path) -> Iterator[str]:
    """The lines of a text file without their ends. Raises CorpusError: binary, not UTF-8, not readable."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                yield _decode(raw, path, number).rstrip("\r\n")
    except OSError as error:
        raise unreadable(path, error) from error


def whole(path: Path) -> str:
    """A text file as one text."""
    return "\n".join(lines(path))


def unreadable(path: Path, error: OSError) -> CorpusError:
    return CorpusError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.")


def text_of(value: object, column: str, where: str) -> str | None:
    """The value of a text column. Raises CorpusError when it is neither text nor nothing."""
    if value is None or isinstance(value, str):
        return value
    raise CorpusError(
        f"The column {column!r} of {where} holds {type(value).__name__}, not text.",
        "Name a column of text as text_column (--text-column).",
    )


def sample(reader: Reader, path: Path, columns: list[str]) -> dict[str, list[object]]:
    """The first values of each column; of a long text its beginning."""
    rows = [
        {name: value[:_LONGEST_SAMPLE] if isinstance(value, str) else value for name, value in row.items()}
        for row in islice(reader.rows(path, None), SAMPLE_ROWS)
    ]
    return {name: [row.get(name) for row in rows] for name in columns}


def _decode(raw: bytes, path: Path, number: int) -> str:
    if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CorpusError(
            f"{path} is UTF-16 text, not UTF-8.", "Convert it: iconv -f utf-16 -t utf-8 FILE > NEW."
        )
    if b"\0" in raw:
        raise _binary(path, number)
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        if sum(byte < 32 and byte not in b"\t\n\f\r\x1b" for byte in raw) > len(raw) // 50:
            raise _binary(path, number) from error
        raise CorpusError(
            f"{path} is not UTF-8 text: byte 0x{raw[error.start]:02x} in line {number}.", _CONVERT
        ) from error


def _binary(path: Path, number: int) -> CorpusError:
    return CorpusError(
        f"{path} is binary, not text (line {number}).",
        "Give .txt, .jsonl, .csv or .parquet files whose content is what their name says.",
    )


def _json_rows(path: Path, column: str | None) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines(path), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(
                f"{path}, line {number} is not JSON: {str(error).splitlines()[0]}.",
                "Each line must be one JSON object.",
            ) from error
        if not isinstance(row, dict):
            raise CorpusError(
                f"{path}, line {number} is a JSON {type(row).__name__}, not an object.",
                'Each line must be one JSON object, such as {"text": "..."}.',
            )
        yield row


def _json_columns(path: Path) -> list[str]:
    names: dict[str, None] = {}
    for row in islice(_json_rows(path, None), SAMPLE_ROWS):
        names.update(dict.fromkeys(row))
    return list(names)


def _csv_table(path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(_UNLIMITED_FIELD)
    # csv must see line ends, which may stand inside a quoted field
    table = csv.reader(
        (line + "\n" for line in lines(path)), delimiter="\t" if path.suffix == ".tsv" else ","
    )
    try:
        yield from table
    except csv.Error as error:
        raise CorpusError(
            f"{path}, line {table.line_num} is not CSV: {error}.", "Check its quotes."
        ) from error


def _csv_columns(path: Path) -> list[str]:
    return next(_csv_table(path), [])


def _csv_rows(path: Path, column: str | None) -> Iterator[dict[str, Any]]:
    table = _csv_table(path)
    header = next(table, [])
    for row in table:
        if row:
            yield dict(zip(header, row, strict=False))


def _parquet_file(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, memory_map=True)
    except pa.ArrowInvalid as error:
        raise CorpusError(f"{path} is not a Parquet file.", "Check that it was copied whole.") from error
    except OSError as error:
        raise unreadable(path, error) from error


def _parquet_columns(path: Path) -> list[str]:
    with _parquet_file(path) as file:
        return list(file.schema_arrow.names)


def _parquet_rows(path: Path, column: str | None) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    with _parquet_file(path) as file:
        try:
            for batch in file.iter_batches(_PARQUET_ROWS, columns=None if column is None else [column]):
                yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{path} is damaged: {str(error).splitlines()[0]}", "Copy it again.") from error


_OF_JSON = Reader(_json_columns, _json_rows)
_OF_CSV = Reader(_csv_columns, _csv_rows)
TABLES: dict[str, Reader] = {
    ".jsonl": _OF_JSON,
    ".ndjson": _OF_JSON,
    ".json": _OF_JSON,
    ".csv": _OF_CSV,
    ".tsv": _OF_CSV,
    ".parquet": Reader(_parquet_columns, _parquet_rows),
}
"""The kinds of file with columns, by the end of their name."""
