"""Readers of tables in local files: .jsonl, .csv, .parquet, .arrow, packed or not.

All read row by row or batch by batch, and name file and line in what they refuse.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.corpus.intake import Intake, kind_of, unreadable
from workbench.errors import CorpusError

SAMPLE_ROWS = 100
_LONGEST_SAMPLE = 10_000  # characters
_PARQUET_ROWS = 32  # at once: a few kilobytes of dictionary may unpack to many megabytes a row
_UNLIMITED_FIELD = 2**31 - 1  # csv's own limit, 128 KiB, is less than a long article


class Reader(NamedTuple):
    """How one kind of file is read. `rows` gives each row as column -> value; of a column that is named, no
    more than that need be in it.
    """

    columns: Callable[[Intake, Path], list[str]]
    rows: Callable[[Intake, Path, str | None], Iterator[dict[str, Any]]]


def sample(reader: Reader, intake: Intake, path: Path, columns: list[str]) -> dict[str, list[object]]:
    """The first values of each column; of a long text its beginning."""
    rows = [
        {name: value[:_LONGEST_SAMPLE] if isinstance(value, str) else value for name, value in row.items()}
        for row in islice(reader.rows(intake, path, None), SAMPLE_ROWS)
    ]
    return {name: [row.get(name) for row in rows] for name in columns}


def _json_rows(intake: Intake, path: Path, column: str | None) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(intake.lines(path), start=1):
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


def _json_columns(intake: Intake, path: Path) -> list[str]:
    names: dict[str, None] = {}
    for row in islice(_json_rows(intake, path, None), SAMPLE_ROWS):
        names.update(dict.fromkeys(row))
    return list(names)


def _csv_table(intake: Intake, path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(_UNLIMITED_FIELD)
    # csv must see line ends, which may stand inside a quoted field
    table = csv.reader(
        (line + "\n" for line in intake.lines(path)), delimiter="\t" if kind_of(path) == ".tsv" else ","
    )
    try:
        yield from table
    except csv.Error as error:
        raise CorpusError(
            f"{path}, line {table.line_num} is not CSV: {error}.", "Check its quotes."
        ) from error


def _csv_columns(intake: Intake, path: Path) -> list[str]:
    return next(_csv_table(intake, path), [])


def _csv_rows(intake: Intake, path: Path, column: str | None) -> Iterator[dict[str, Any]]:
    table = _csv_table(intake, path)
    header = next(table, [])
    for row in table:
        if row:
            yield dict(zip(header, row, strict=False))


@contextmanager
def _opened(intake: Intake, path: Path, kind: str) -> Iterator[Any]:
    """A columnar file as Arrow opens it, and what may be wrong with it in words."""
    source = intake.unpacked(path)
    try:
        with pa.memory_map(str(source)) if isinstance(source, Path) else pa.PythonFile(source, "r") as file:
            yield file
    except pa.ArrowInvalid as error:
        raise CorpusError(f"{path} is not {kind}, or damaged.", "Check that it was copied whole.") from error
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise unreadable(path, error) from error
        raise CorpusError(f"{path} is damaged: {str(error).splitlines()[0]}", "Copy it again.") from error
    finally:
        if not isinstance(source, Path):
            source.close()


def _parquet_columns(intake: Intake, path: Path) -> list[str]:
    with _opened(intake, path, "a Parquet file") as file:
        return list(pq.ParquetFile(file).schema_arrow.names)


def _parquet_rows(intake: Intake, path: Path, column: str | None) -> Iterator[dict[str, Any]]:
    with _opened(intake, path, "a Parquet file") as opened:
        file = pq.ParquetFile(opened)
        size, rows = path.stat().st_size, max(1, file.metadata.num_rows)
        done = 0
        for batch in file.iter_batches(_PARQUET_ROWS, columns=None if column is None else [column]):
            yield from batch.to_pylist()
            done += batch.num_rows
            intake.reached(size * done // rows)
    intake.finished(path)


def _arrow_batches(file: Any) -> tuple[Any, Iterator[Any]]:
    """Schema and batches of either of Arrow's formats: the stream, which the datasets library writes, or the
    file.
    """
    try:
        reader = pa.ipc.open_file(file)
        return reader.schema, map(reader.get_batch, range(reader.num_record_batches))
    except pa.ArrowInvalid:
        file.seek(0)
        stream = pa.ipc.open_stream(file)
        return stream.schema, iter(stream)


def _arrow_columns(intake: Intake, path: Path) -> list[str]:
    with _opened(intake, path, "an Arrow file") as file:
        return list(_arrow_batches(file)[0].names)


def _arrow_rows(intake: Intake, path: Path, column: str | None) -> Iterator[dict[str, Any]]:
    with _opened(intake, path, "an Arrow file") as file:
        for batch in _arrow_batches(file)[1]:
            wanted = batch if column is None else batch.select([column])
            for first in range(0, wanted.num_rows, _PARQUET_ROWS):
                yield from wanted.slice(first, _PARQUET_ROWS).to_pylist()
            intake.reached(file.tell())
    intake.finished(path)


_OF_JSON = Reader(_json_columns, _json_rows)
_OF_CSV = Reader(_csv_columns, _csv_rows)
TABLES: dict[str, Reader] = {
    ".jsonl": _OF_JSON,
    ".ndjson": _OF_JSON,
    ".json": _OF_JSON,
    ".csv": _OF_CSV,
    ".tsv": _OF_CSV,
    ".parquet": Reader(_parquet_columns, _parquet_rows),
    ".arrow": Reader(_arrow_columns, _arrow_rows),
}
"""The kinds of file with columns, by the end of their name (kind_of)."""
