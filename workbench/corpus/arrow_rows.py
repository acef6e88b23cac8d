"""Reads the rows of .parquet and .arrow files in small batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.corpus.intake import Intake
from workbench.corpus.packing import unreadable
from workbench.corpus.tables import Table, distinct
from workbench.errors import CorpusError

_BATCH_ROWS = 32  # a few kilobytes of dictionary may unpack to many megabytes per row


@contextmanager
def _opened(intake: Intake, path: Path, kind: str) -> Iterator[Any]:
    """Open a columnar file with Arrow; its errors become CorpusErrors."""
    source = intake.unpacked(path)
    try:
        with pa.memory_map(str(source)) if isinstance(source, Path) else pa.PythonFile(source, "r") as file:
            yield file
    except pa.ArrowInvalid as error:
        raise CorpusError(
            f"{path} is not {kind}, or is damaged or truncated.", "Copy or download it again."
        ) from error
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise unreadable(path, error) from error
        raise CorpusError(f"{path} is damaged.", "Copy or download it again.") from error
    finally:
        if not isinstance(source, Path):
            source.close()


def _parquet_columns(intake: Intake, path: Path, wanted: str | None) -> list[str]:
    with _opened(intake, path, "a Parquet file") as file:
        return list(distinct(pq.ParquetFile(file).schema_arrow.names))


def _parquet_rows(intake: Intake, path: Path, column: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    with _opened(intake, path, "a Parquet file") as opened:
        file = pq.ParquetFile(opened)
        size, rows = path.stat().st_size, max(1, file.metadata.num_rows)
        names = file.schema_arrow.names
        alone = column is not None and column in names and names == list(distinct(names))
        done = 0
        for batch in file.iter_batches(_BATCH_ROWS, columns=[column] if alone else None):
            yield from enumerate(_values(batch, column, path, done), start=done + 1)
            done += batch.num_rows
            intake.reached(size * done // rows)
    intake.finished(path)


def _arrow_batches(file: Any) -> tuple[Any, Iterator[Any]]:
    """The schema and batches of a file in Arrow's file format or its stream format, which the datasets
    library writes.
    """
    try:
        reader = pa.ipc.open_file(file)
        return reader.schema, map(reader.get_batch, range(reader.num_record_batches))
    except pa.ArrowInvalid:
        file.seek(0)
        stream = pa.ipc.open_stream(file)
        return stream.schema, iter(stream)


def _arrow_columns(intake: Intake, path: Path, wanted: str | None) -> list[str]:
    with _opened(intake, path, "an Arrow file") as file:
        return list(distinct(_arrow_batches(file)[0].names))


def _arrow_rows(intake: Intake, path: Path, column: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    with _opened(intake, path, "an Arrow file") as file:
        done = 0
        for batch in _arrow_batches(file)[1]:
            for first in range(0, batch.num_rows, _BATCH_ROWS):
                rows = _values(batch.slice(first, _BATCH_ROWS), column, path, done)
                yield from enumerate(rows, start=done + 1)
                done += len(rows)
            intake.reached(file.tell())
    intake.finished(path)


def _values(batch: Any, column: str | None, path: Path, done: int) -> list[dict[str, Any]]:
    """The rows of a batch after `done` earlier ones, with all columns or one. Columns with equal names are
    numbered. Raises CorpusError for text that is not UTF-8.
    """
    names = distinct(batch.schema.names)
    if names != tuple(batch.schema.names):
        batch = pa.RecordBatch.from_arrays(batch.columns, names=list(names))
    if column is not None:
        batch = batch.select([column])
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}, rows {done + 1:,} to {done + batch.num_rows:,} contain text that is not UTF-8.",
            "Write the file again with its text in UTF-8.",
        ) from error
    return rows


PARQUET = Table(_parquet_columns, _parquet_rows, "row")
ARROW = Table(_arrow_columns, _arrow_rows, "row")
