"""Converts the values of a text column to text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.errors import CorpusError

_MESSAGE_KEYS = ("content", "value", "text")
"""The keys of the text in chat formats."""

NUMBERS = "numbers among texts, written as Python writes them (1.50 as 1.5)"
BYTES = "texts stored as bytes, read as UTF-8"
WITHOUT_TEXT = "parts of chats without text, such as images and tool calls, left out"
LISTS = "lists of texts, each joined to one text with a line per part"
MESSAGES = "chats, each joined to one text without roles, with a line per message"


def _ignore(what: str) -> None:
    pass


def text_of(value: object, column: str, where: str, counted: Callable[[str], None] = _ignore) -> str | None:
    """A value of a text column as text; None stays None.

    A number becomes its digits; the texts of a list and the messages of a chat are joined. counted: called
    with what was done. where: the file and the place in it. Raises CorpusError for other values.
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
                "Set text_column (--text-column) to a text column, or write the file again as text.",
            ) from error
        counted(BYTES)
        return text
    if isinstance(value, Mapping):
        inside = ", ".join(f"{column}.{name}" for name in value)
        raise CorpusError(
            f"The column {column!r} of {where} holds objects, not text.",
            f"Set text_column (--text-column) to a column inside, such as {inside}.",
        )
    raise CorpusError(
        f"The column {column!r} of {where} holds {type(value).__name__}, not text.",
        "Set text_column (--text-column) to a text column.",
    )


def _part(part: object, column: str, where: str, counted: Callable[[str], None]) -> str | None:
    """The text of a list item: a text, a message, or the parts of a message."""
    if isinstance(part, Mapping):
        content = next((part[key] for key in _MESSAGE_KEYS if key in part), part)
        if content is None or (content is part and _is_of_a_chat(part)):
            counted(WITHOUT_TEXT)
            return None
        if content is part:
            inside = ", ".join(f"{column}.{name}" for name in part)
            raise CorpusError(
                f"The column {column!r} of {where} holds lists of objects, not text.",
                f"Set text_column (--text-column) to a column inside, such as {inside}.",
            )
        return _part(content, column, where, counted)
    if isinstance(part, list):
        parts = [_part(item, column, where, counted) for item in part]
        return "\n".join(text for text in parts if text)
    return text_of(part, column, where, counted)


def _is_of_a_chat(part: Mapping[Any, Any]) -> bool:
    """Whether an object without text may be a message or part of one."""
    return "role" in part or "from" in part or isinstance(part.get("type"), str)


def is_like_text(value: object) -> bool:
    """Whether a value makes its column a candidate for the text column."""
    if isinstance(value, str):
        return True
    if isinstance(value, bytes):
        return _is_utf8(value)
    if isinstance(value, Mapping):
        return any(is_like_text(value[key]) for key in _MESSAGE_KEYS if key in value)
    return isinstance(value, list) and any(map(is_like_text, value)) and all(map(_fits_a_list, value))


def _fits_a_list(part: object) -> bool:
    if isinstance(part, Mapping):
        contents = [part[key] for key in _MESSAGE_KEYS if key in part]
        return _is_of_a_chat(part) if not contents else contents[0] is None or is_like_text(contents[0])
    return part is None or isinstance(part, int | float) or is_like_text(part)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def value_at(row: Any, column: str) -> Any:
    """The value of a column, which may be inside another: "meta.text" is `text` in the object `meta`.

    For a list of objects it is the list of their values; None if there is none.
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
    """The columns inside a column whose values are objects or lists of objects."""
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
    """The column of a table that contains `column`: itself, or the longest beginning of its path."""
    parts = column.split(".")
    beginnings = (".".join(parts[:cut]) for cut in range(len(parts), 0, -1))
    return next((name for name in beginnings if name in columns), None)
