"""What a text column holds: texts, or what can be read as text without guessing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.errors import CorpusError

_OF_A_MESSAGE = ("content", "value", "text")
"""Where chat formats keep what was said."""

NUMBERS = "numbers among texts, written as Python writes them (1.50 as 1.5)"
BYTES = "texts stored as bytes, read as UTF-8"
WITHOUT_TEXT = "parts of chats without text, such as images and calls of tools, left out"
LISTS = "lists of texts, each joined to one text, a line for each part"
MESSAGES = "chats, each joined to one text without its roles, a line for each message"


def _ignore(what: str) -> None:
    pass


def text_of(value: object, column: str, where: str, counted: Callable[[str], None] = _ignore) -> str | None:
    """The value of a text column as text; None for nothing.

    A number becomes its digits; the texts of a list, and the messages of a chat, are joined. `counted` hears
    what was done. Raises CorpusError for anything else. `where`: the file, and the place in it.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        counted(NUMBERS)
        return json.dumps(value)
    if isinstance(value, list):
        counted(MESSAGES if any(isinstance(part, Mapping) for part in value) else LISTS)
        parts = [_part(part, column, where, counted) for part in value]
        return "\n".join(part for part in parts if part)
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"The column {column!r} of {where} holds bytes that are not UTF-8.",
                "Name a column of text as text_column (--text-column), or write the file again as text.",
            ) from error
        counted(BYTES)
        return text
    if isinstance(value, Mapping):
        inside = ", ".join(f"{column}.{name}" for name in value)
        raise CorpusError(
            f"The column {column!r} of {where} holds objects, not text.",
            f"Name a column inside as text_column (--text-column), such as {inside}.",
        )
    raise CorpusError(
        f"The column {column!r} of {where} holds {type(value).__name__}, not text.",
        "Name a column of text as text_column (--text-column).",
    )


def _part(part: object, column: str, where: str, counted: Callable[[str], None]) -> str | None:
    """One item of a list: a text, a message, or the parts of one."""
    if isinstance(part, Mapping):
        said = next((part[key] for key in _OF_A_MESSAGE if key in part), part)
        if said is None or (said is part and _is_of_a_chat(part)):
            counted(WITHOUT_TEXT)
            return None
        if said is part:
            inside = ", ".join(f"{column}.{name}" for name in part)
            raise CorpusError(
                f"The column {column!r} of {where} holds lists of objects, not text.",
                f"Name a column inside as text_column (--text-column), such as {inside}.",
            )
        return _part(said, column, where, counted)
    if isinstance(part, list):
        parts = [_part(one, column, where, counted) for one in part]
        return "\n".join(text for text in parts if text)
    return text_of(part, column, where, counted)


def _is_of_a_chat(part: Mapping[Any, Any]) -> bool:
    """Whether an object without text may be a message, or a part of one."""
    return "role" in part or "from" in part or isinstance(part.get("type"), str)


def is_like_text(value: object) -> bool:
    """Whether `text_of` makes a text of a value that a column of texts could be chosen for."""
    if isinstance(value, str):
        return True
    if isinstance(value, bytes):
        return _is_utf8(value)
    if isinstance(value, Mapping):
        return any(is_like_text(value[key]) for key in _OF_A_MESSAGE if key in value)
    return isinstance(value, list) and any(map(is_like_text, value)) and all(map(_fits_a_list, value))


def _fits_a_list(part: object) -> bool:
    if isinstance(part, Mapping):
        said = [part[key] for key in _OF_A_MESSAGE if key in part]
        return _is_of_a_chat(part) if not said else said[0] is None or is_like_text(said[0])
    return part is None or isinstance(part, int | float) or is_like_text(part)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def value_at(row: Any, column: str) -> Any:
    """The value of a column, which may lie inside another: "meta.text" is `text` within the object `meta`.

    Of a list of objects it is the list of what each has there; None where there is nothing.
    """
    if isinstance(row, list):
        return [value for part in row if (value := value_at(part, column)) is not None]
    if not isinstance(row, Mapping):
        return None
    if column in row:
        return row[column]
    parts = column.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        head = ".".join(parts[:cut])
        if head in row:
            return value_at(row[head], ".".join(parts[cut:]))
    return None


def inner_columns(column: str, values: list[object], depth: int = 3) -> Iterator[str]:
    """The columns inside one whose values are objects, or lists of them."""
    names: dict[str, list[object]] = {}
    for value in values:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Mapping):
                for name, inside in part.items():
                    names.setdefault(name, []).append(inside)
    for name, inside in names.items():
        yield f"{column}.{name}"
        if depth > 1:
            yield from inner_columns(f"{column}.{name}", inside, depth - 1)


def outer_column(column: str, columns: list[str]) -> str | None:
    """The column of a table in which `column` lies: itself, or the longest beginning of its path."""
    parts = column.split(".")
    beginnings = (".".join(parts[:cut]) for cut in range(len(parts), 0, -1))
    return next((name for name in beginnings if name in columns), None)
