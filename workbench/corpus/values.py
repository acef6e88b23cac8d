"""What a text column holds."""

from __future__ import annotations

from workbench.errors import CorpusError


def text_of(value: object, column: str, where: str) -> str | None:
    """The value of a text column. Raises CorpusError when it is neither text nor nothing."""
    if value is None or isinstance(value, str):
        return value
    raise CorpusError(
        f"The column {column!r} of {where} holds {type(value).__name__}, not text.",
        "Name a column of text as text_column (--text-column).",
    )
