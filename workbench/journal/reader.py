"""Read a journal: whole lines from where reading stopped, and from one file of a run to the next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from workbench.errors import WorkbenchError
from workbench.journal.lines import FORMAT, Cursor, Kind, Record, decode, file_of, numbers

BATCH_BYTES = 1 << 20
"""About so much is read at once."""
_LONGEST_LINE = 64 << 20


class JournalError(WorkbenchError):
    """A journal that cannot be read on. `late`: the rest may still come, from a slow file system."""

    def __init__(self, message: str, hint: str = "", *, late: bool = False) -> None:
        super().__init__(message, hint)
        self.late = late


class Head(NamedTuple):
    """A file of a journal: its number, its `id`, and how many whole records it has."""

    number: int
    id: str
    records: int


class Batch(NamedTuple):
    """Records that follow each other, and the cursor behind them."""

    records: list[Record]
    cursor: Cursor


def read_on(folder: Path, cursor: Cursor, most: int = BATCH_BYTES) -> Batch:
    """What was written since `cursor`, about `most` bytes of it. Nothing new: no records, the same cursor.

    A last line without its end is left for later. Raises JournalError for a file that is not the one that was
    read before, or is damaged; OSError as the system raises it.
    """
    batch: Batch | None = None
    trouble: JournalError | None = None
    if cursor.number >= 0:
        try:
            batch = _rest_of(folder, cursor, most)
            if batch.records:
                return batch
        except JournalError as error:
            trouble = error
    following = _next_file(folder, cursor)
    if following is not None:
        return _rest_of(folder, following, most)
    if trouble is not None:
        raise trouble
    return batch or Batch([], cursor)


def skip_to_next(folder: Path, cursor: Cursor) -> Cursor | None:
    """The beginning of the file after the cursor's, whatever is missing before it; None: there is none."""
    for number in numbers(folder):
        if number > cursor.number and (head := _head_record(folder, number)) is not None:
            return Cursor(number, str(head["id"]))
    return None


def newest_head(folder: Path) -> Head | None:
    """The newest file that has a head which this version can read; None: there is none. Reads that file.

    Raises OSError.
    """
    for number in reversed(numbers(folder)):
        try:
            head = _head_record(folder, number)
        except JournalError:
            continue
        if head is not None:
            with file_of(folder, number).open("rb") as file:
                records = sum(part.count(b"\n") for part in iter(lambda: file.read(BATCH_BYTES), b""))
            return Head(number, str(head["id"]), records)
    return None


def first_head(folder: Path) -> Record | None:
    """The head of the first file, which names the run; None: there is no journal. Raises OSError."""
    return next((head for number in numbers(folder) if (head := _head_record(folder, number))), None)


def _next_file(folder: Path, cursor: Cursor) -> Cursor | None:
    """The beginning of the file that follows the cursor's; None: it is not there, or not all of it is read.

    Raises JournalError where the records of the cursor's file are fewer than the next file's writer has seen.
    """
    for number in numbers(folder):
        if number <= cursor.number:
            continue
        head = _head_record(folder, number)
        if head is None:  # a worker that was killed at once, or a head that is still to come
            continue
        previous = head.get("previous")
        if isinstance(previous, dict):
            before, records = previous.get("number"), previous.get("records")
            if not isinstance(before, int) or not isinstance(records, int):
                raise _damaged(folder, number, 0)
            missing = records - cursor.records if before == cursor.number else records
            if before >= cursor.number and missing > 0:
                name = file_of(folder, before).name
                raise JournalError(
                    f"{missing} records of {name} are missing.",
                    "They may still come; after some minutes the next file is read without them.",
                    late=True,
                )
        return Cursor(number, str(head["id"]))
    return None


def _rest_of(folder: Path, cursor: Cursor, most: int) -> Batch:
    path = file_of(folder, cursor.number)
    try:
        file = path.open("rb")  # opened anew each time: only then a network file system asks its server
    except FileNotFoundError as error:
        raise JournalError(
            f"{path.name} is gone from the run's folder.", "Put it back to read on.", late=True
        ) from error
    with file:
        head = _checked_head(file.readline(_LONGEST_LINE), path)
        if head is None:
            return Batch([], cursor)
        if head["id"] != cursor.identity:
            raise JournalError(
                f"{path.name} was replaced by another file; nothing was read from it.",
                "Put the original back to read on.",
            )
        if os.fstat(file.fileno()).st_size < cursor.position:
            raise JournalError(
                f"{path.name} is shorter than what was read of it before.",
                "It was truncated, or its file system is late.",
                late=True,
            )
        file.seek(cursor.position)
        data = file.read(most)
        while b"\n" not in data and len(data) >= most and most < _LONGEST_LINE:
            most *= 2
            file.seek(cursor.position)
            data = file.read(most)
    return _records_of(data, cursor, path)


def _records_of(data: bytes, cursor: Cursor, path: Path) -> Batch:
    place = cursor.records
    records: list[Record] = []
    *lines, torn = data.split(b"\n")
    for line in lines:
        try:
            record = decode(line)
        except ValueError as error:
            raise _damaged(path.parent, cursor.number, place) from error
        if record["n"] < cursor.records and not records:
            continue  # applied before it was written: its worker found no room in the file at first
        if record["n"] != place:
            raise _damaged(path.parent, cursor.number, place)
        records.append(record)
        place += 1
    end = cursor.position + len(data) - len(torn)
    return Batch(records, Cursor(cursor.number, cursor.identity, place, end))


def _head_record(folder: Path, number: int) -> Record | None:
    path = file_of(folder, number)
    try:
        with path.open("rb") as file:
            return _checked_head(file.readline(_LONGEST_LINE), path)
    except FileNotFoundError:
        return None


def _checked_head(line: bytes, path: Path) -> Record | None:
    """The head in a file's first line; None while it has not arrived. Raises JournalError."""
    if not line.endswith(b"\n"):
        return None
    try:
        head: dict[str, Any] = decode(line)
    except ValueError as error:
        raise JournalError(f"{path.name} does not begin like a journal.") from error
    if head["kind"] != Kind.HEAD or not isinstance(head.get("id"), str) or not head["id"]:
        raise JournalError(f"{path.name} does not begin like a journal.")
    if not isinstance(head.get("format"), int) or head["format"] > FORMAT:
        raise JournalError(
            f"{path.name} was written by a newer version of mlm-workbench.", "Upgrade mlm-workbench here."
        )
    return head


def _damaged(folder: Path, number: int, place: int) -> JournalError:
    return JournalError(
        f"Line {place + 1} of {file_of(folder, number).name} is damaged; what comes after it was not read.",
        "Put an undamaged copy in its place to read on.",
    )
