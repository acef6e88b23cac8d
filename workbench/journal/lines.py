"""The lines of a journal: what they hold and how they are written.

Every line is one record, a JSON object with at least

    n      its place in the file, counted from 0 without gaps
    kind   one of `Kind`
    at     when it was written, in seconds since 1970 by the writer's clock

A worker writes one file, `journal-NUMBER.jsonl`. Its first record, the head, names the format, the run and
the file before it. What a later version adds to a record is ignored by this one; what changes the meaning of
a record needs a higher `FORMAT`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

FORMAT = 1
PREFIX, SUFFIX = "journal-", ".jsonl"
_NAME = re.compile(rf"{PREFIX}(\d{{1,9}}){re.escape(SUFFIX)}", re.ASCII)

Record: TypeAlias = dict[str, Any]


class Kind(StrEnum):
    """What a record reports."""

    HEAD = "head"
    CLAIM = "claim"  # a process has begun to work on the run
    COLUMNS = "columns"  # values of columns of the run's row
    METRICS = "metrics"
    CHECKPOINT = "checkpoint"
    BACK = "back"  # the run goes on from a checkpoint; what was measured after it does not count
    SCORE = "score"  # of the run's model, or of its base model, on the yardstick
    MESSAGE = "message"
    ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a journal has been read.

    `records` of file `number` are applied. `position`: a byte at which a line begins, none of whose
    predecessors is still to be applied. `identity`: the head's `id`, so that another file in its place is
    noticed. Before the first file `number` is -1.
    """

    number: int = -1
    identity: str = ""
    records: int = 0
    position: int = 0


def encode(record: Record) -> bytes:
    """A record as a line. A number that is not finite is written as Python's `json` does, as Infinity."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def decode(line: bytes) -> Record:
    """The record of a line. Raises ValueError for anything else."""
    try:
        record = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not (
        isinstance(record, dict)
        and type(record.get("n")) is int
        and isinstance(record.get("kind"), str)
        and type(record.get("at")) in (int, float)
    ):
        raise ValueError("not a record")
    return record


def file_of(folder: Path, number: int) -> Path:
    """The journal file of that number."""
    return folder / f"{PREFIX}{number:04d}{SUFFIX}"


def numbers(folder: Path) -> list[int]:
    """The numbers of the journal files in a folder, ascending. Raises OSError."""
    matches = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(name[1]) for name in matches if name)
