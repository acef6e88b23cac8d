"""Rows of JSON files: an object a line, objects one after another, or an array of them."""

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
"""Of a file of strings."""


def _columns(intake: Intake, path: Path, wanted: str | None) -> list[str]:
    """The columns of the first rows, and of those after them up to one that has `wanted`."""
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
                what = f"JSON files with strings for rows, read as a column {_ONLY_COLUMN!r}"
                intake.notes.count(what, f"{path}, line {number}", level="info")
            strings = True
            yield number, {_ONLY_COLUMN: value}
        else:
            raise CorpusError(
                f"{path}, line {number} holds {_said(value)} where an object belongs.",
                'Each row must be a JSON object, such as {"text": "..."}, or a string.',
            )


def _values(intake: Intake, path: Path) -> Iterator[tuple[int, Any]]:
    """The values that are rows, each with the line where it begins."""
    lines = intake.lines(path, ends=True)
    beginning: list[str] = []
    for line in lines:
        beginning.append(line)
        if line.strip():
            break
    first = beginning[-1].strip() if beginning else ""
    whole = chain(beginning, lines)
    twice = _Twice(intake, path)
    decoder = json.JSONDecoder(object_pairs_hook=twice)
    if first.startswith("["):
        yield from twice.counted(Values(whole, path, decoder).items())
    elif not first or _is_json(first):
        yield from _alone(twice.counted(_of_lines(whole, decoder, intake, path)), intake, path)
    else:
        yield from _alone(twice.counted(Values(whole, path, decoder).values()), intake, path)


class _Twice:
    """Makes objects of their names and values; those that have a name twice are counted."""

    def __init__(self, intake: Intake, path: Path) -> None:
        self._intake, self._path = intake, path
        self._name: str | None = None

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object, whose last value of a name is the one that stays."""
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            self._name = max(names, key=names.count)
        return made

    def counted(self, values: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """The same values, each with the line where it begins."""
        for number, value in values:
            if self._name is not None:
                what = f"objects with the name {self._name!r} twice, of which the last is read"
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
                f"{path}, line {number} is JSON that is nested too deeply or has a number too long.",
                "Remove the line.",
            ) from error
        yield number, value


def _broken(path: Path, number: int, error: json.JSONDecodeError, line: str) -> CorpusError:
    cut = error.pos >= len(line.rstrip()) or not line.endswith(("\n", "\r"))
    why = "it ends too early" if cut else f"see its character {error.pos + 1:,}"
    return CorpusError(
        f"{path}, line {number} is not JSON: {why}.",
        "Each line must be one whole JSON object. Mend or remove the line"
        + (", or copy the file again if it was cut short." if cut else "."),
    )


def _alone(values: Iterator[tuple[int, Any]], intake: Intake, path: Path) -> Iterator[tuple[int, Any]]:
    """The values; where a single object holds a single list of objects, the items of that."""
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
        and all(isinstance(one, dict) for one in inside)
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


def _said(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "a list" if isinstance(value, list) else "a number"


TABLE = Table(_columns, _rows, grows=True)
