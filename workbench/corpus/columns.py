"""Chooses the text column of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.corpus.notes import Notes
from workbench.corpus.values import inner_columns, is_like_text, outer_column, text_of, value_at
from workbench.errors import CorpusError

USUAL_NAMES = ("text", "document", "content", "article", "body", "abstract", "sentence")
_CHATS = ("messages", "conversations")


def choose_column(
    wanted: str | None,
    columns: Sequence[str],
    sample: Mapping[str, Sequence[object]],
    where: str,
    notes: Notes,
) -> str:
    """The text column: `wanted`, or a guess, which is reported through `notes`.

    columns: the names of all columns. sample: the first values of each. The guess is a text column with a
    usual name, or else the one with the most letters. A column inside an object is "outer.inner". Raises
    CorpusError with the names of the columns.
    """
    values = {name: list(sample.get(name, ())) for name in columns}
    for name in columns:
        for inner in inner_columns(name, values[name]):
            values.setdefault(inner, [value_at({name: value}, inner) for value in sample[name]])
    if wanted is not None:
        return _checked(wanted, list(columns), values, where)
    letters = {
        name: _letters(cells)
        for name, cells in values.items()
        # bytes may be anything, so a column of bytes needs a usual name
        if name.rpartition(".")[2].lower() in USUAL_NAMES
        or not any(isinstance(cell, bytes) for cell in cells)
    }
    text_columns = [name for name, count in letters.items() if count > 0]
    if not text_columns:
        raise CorpusError(
            f"No column of {where} holds text. Columns: {', '.join(values) or 'none'}.",
            "Choose another file, or set text_column (--text-column).",
        )
    chosen = min(text_columns, key=lambda name: (_rank(name, name in columns), -letters[name]))
    empty = [name for name in columns if name.lower() in USUAL_NAMES and not values[name]]
    if empty:
        notes.warning(f"The column {empty[0]!r} of {where} is empty in its first rows.")
    if len(columns) > 1 or chosen not in columns:
        notes.info(f"Text column: {chosen}, guessed from {', '.join(values)}.")
    return chosen


def _checked(wanted: str, columns: list[str], values: Mapping[str, Sequence[object]], where: str) -> str:
    """The wanted column, if it exists and may hold text. Raises CorpusError otherwise."""
    if outer_column(wanted, columns) is None:
        raise CorpusError(
            f"There is no column {wanted!r} in {where}. Columns: {', '.join(values) or 'none'}.",
            "Set text_column (--text-column) to one of these, or leave it empty to let the workbench guess.",
        )
    cells = [value for value in values.get(wanted, ()) if value is not None]
    if cells and not any(map(is_like_text, cells)):
        if isinstance(cells[0], Mapping | list):
            text_of(cells[0], wanted, where)
        raise CorpusError(
            f"The column {wanted!r} of {where} holds {type(cells[0]).__name__}, not text.",
            "Set text_column (--text-column) to a text column.",
        )
    return wanted


def _rank(name: str, is_outer: bool) -> int:
    """How likely a column of this name holds the text; the lowest rank is the likeliest."""
    name = name.lower()
    last = name.rpartition(".")[2]
    if is_outer and name in USUAL_NAMES:
        return USUAL_NAMES.index(name)
    if is_outer and name in _CHATS:
        return len(USUAL_NAMES)
    of_a_chat = any(part in _CHATS for part in name.split("."))
    if last in USUAL_NAMES and not of_a_chat:
        return len(USUAL_NAMES) + 1
    return len(USUAL_NAMES) + (2 if is_outer else 4 if of_a_chat else 3)


def _letters(values: Sequence[object]) -> int:
    """The number of letters in a column; 0 unless most values, except numbers, are text or lists of it."""
    cells = [value for value in values if value is not None and not isinstance(value, bool | int | float)]
    texts = [
        text_of(value, "", "") or ""
        for value in cells
        if is_like_text(value) and not isinstance(value, Mapping)
    ]
    return sum(sum(map(str.isalpha, text)) for text in texts) if 2 * len(texts) > len(cells) else 0
