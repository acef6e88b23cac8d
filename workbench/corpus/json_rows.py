"""Reads the rows of JSON files: one object per line, objects one after another, or an array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from workbench.corpus.intake import Intake
from workbench.corpus.json_stream import Values
from workbench.corpus.tables import SAMPLE_ROWS, Table
from workbench.errors import CorpusError

_ONLY_COLUMN = "text"
"""The column of a file of strings."""


def _columns(intake: Intake, path: Path, wanted: str | None) -> list[str]:
    """The columns of the first rows; if `wanted` is not among them, of all rows up to the one that has it."""
    names: dict[str, None] = {}
    head = wanted.split(".")[0] if wanted else None
    for count, (_, row) in enumerate(_rows(intake, path, None), start=1):
        names.update(dict.fromkeys(row))
        if count >= SAMPLE_ROWS and (head is None or head in names or wanted in names):
            break
    return list(names)


def _rows(intake: Intake, path: Path, column: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
    strings = False
    for number, value in _values(intake, path):
        if isinstance(value, dict):
            yield number, value
        elif isinstance(value, str):
            if not strings:
                what = f"JSON files with strings as rows, read as a column {_ONLY_COLUMN!r}"
                intake.notes.count(what, f"{path}, line {number}", level="info")
            strings = True
            yield number, {_ONLY_COLUMN: value}
        else:
            raise CorpusError(
                f"{path}, line {number} holds {_described(value)} instead of an object.",
                'Each row must be a JSON object, such as {"text": "..."}, or a string.',
            )


def _values(intake: Intake, path: Path) -> Iterator[tuple[int, Any]]:
    """The values that are rows, each with the line in which it begins."""
    lines = intake.lines(path, ends=True)
    beginning: list[str] = []
    for line in lines:
        beginning.append(line)
        if line.strip():
            break
    first = beginning[-1].strip() if beginning else ""
    whole = chain(beginning, lines)
    repeated = _RepeatedNames(intake, path)
    decoder = json.JSONDecoder(object_pairs_hook=repeated)
    if first.startswith("["):
        yield from repeated.counted(Values(whole, path, decoder).items())
    elif not first or _is_json(first):
        yield from _unwrapped(repeated.counted(_of_lines(whole, decoder, intake, path)), intake, path)
    else:
        yield from _unwrapped(repeated.counted(Values(whole, path, decoder).values()), intake, path)


class _RepeatedNames:
    """Builds JSON objects from their pairs, and counts objects with a repeated name."""

    def __init__(self, intake: Intake, path: Path) -> None:
        self._intake, self._path = intake, path
        self._name: str | None = None

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """The object; of a repeated name the last value is kept."""
        built = dict(pairs)
        if len(built) < len(pairs):
            names = [name for name, _ in pairs]
            self._name = max(names, key=names.count)
        return built

    def counted(self, values: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """The same values with their line numbers, counting those with a repeated name."""
        for number, value in values:
            if self._name is not None:
                what = f"objects with a repeated name {self._name!r}, whose last value is read"
                self._intake.notes.count(what, f"{self._path}, line {number}")
                self._name = None
            yield number, value


def _of_lines(
    lines: Iterator[str], decoder: json.JSONDecoder, intake: Intake, path: Path
) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            where = f"{path}, line {number}"
            intake.notes.count("blank lines in tables, left out", where, level="info")
            continue
        try:
            value = decoder.decode(line)
        except json.JSONDecodeError as error:
            raise _broken(path, number, error, line) from error
        except (ValueError, RecursionError) as error:
            raise CorpusError(
                f"{path}, line {number}: the JSON is nested too deeply or contains too long a number.",
                "Remove the line.",
            ) from error
        yield number, value


def _broken(path: Path, number: int, error: json.JSONDecodeError, line: str) -> CorpusError:
    cut = error.pos >= len(line.rstrip()) or not line.endswith(("\n", "\r"))
    why = "it ends too early" if cut else f"error at character {error.pos + 1:,}"
    return CorpusError(
        f"{path}, line {number} is not valid JSON: {why}.",
        "Each line must be a complete JSON object. Fix or remove the line"
        + (", or copy the file again if it was truncated." if cut else "."),
    )


def _unwrapped(values: Iterator[tuple[int, Any]], intake: Intake, path: Path) -> Iterator[tuple[int, Any]]:
    """The values; for a single object with a single list of objects, the items of that list."""
    first = next(values, None)
    if first is None:
        return
    second = next(values, None)
    number, value = first
    lists = _lists_of_objects(value) if second is None else []
    if len(lists) == 1:
        where = f"{path}, line {number}"
        intake.notes.count(
            f"JSON files whose rows are the list {lists[0]!r} of one object", where, level="info"
        )
        yield from ((number, row) for row in value[lists[0]])
        return
    yield first
    if second is not None:
        yield second
        yield from values


def _lists_of_objects(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [
        name
        for name, inside in value.items()
        if isinstance(inside, list)
        and len(inside) > 1
        and all(isinstance(item, dict) for item in inside)
        and not ({"role", "from"} & inside[0].keys())  # a chat is a text
    ]


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def _described(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "a list" if isinstance(value, list) else "a number"


TABLE = Table(_columns, _rows, grows=True)
