"""Which column of a table holds the text."""

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
    """The column to read: `wanted`, or a guess, which is told through `notes`.

    columns: all there are. sample: for each of them its first values, by which the guess is made: among
    columns of text a usual name, or else the one with the most letters. A column inside an object is
    "outer.inner". Raises CorpusError that names the columns there are.
    """
    values = {name: list(sample.get(name, ())) for name in columns}
    for name in columns:
        for inner in inner_columns(name, values[name]):
            values.setdefault(inner, [value_at({name: value}, inner) for value in sample[name]])
    if wanted is not None:
        return _checked(wanted, list(columns), values, where)
    letters = {
        name: _letters(found)
        for name, found in values.items()
        # bytes may be anything: they are read without being asked for where the name speaks for it
        if name.rpartition(".")[2].lower() in USUAL_NAMES or not any(isinstance(one, bytes) for one in found)
    }
    of_text = [name for name, count in letters.items() if count > 0]
    if not of_text:
        raise CorpusError(
            f"No column of {where} holds text. Columns: {', '.join(values) or 'none'}.",
            "Choose another file, or name the column as text_column (--text-column).",
        )
    chosen = min(of_text, key=lambda name: (_rank(name, name in columns), -letters[name]))
    empty = [name for name in columns if name.lower() in USUAL_NAMES and not values[name]]
    if empty:
        notes.warning(f"The column {empty[0]!r} of {where} holds nothing in its first rows.")
    if len(columns) > 1 or chosen not in columns:
        notes.info(f"Text column: {chosen}, guessed among {', '.join(values)}.")
    return chosen


def _checked(wanted: str, columns: list[str], values: Mapping[str, Sequence[object]], where: str) -> str:
    """The wanted column, if it is there and may hold text."""
    if outer_column(wanted, columns) is None:
        raise CorpusError(
            f"There is no column {wanted!r} in {where}. Columns: {', '.join(values) or 'none'}.",
            "Name one of these as text_column (--text-column), or leave it empty to have it guessed.",
        )
    shown = [value for value in values.get(wanted, ()) if value is not None]
    if shown and not any(map(is_like_text, shown)):
        if isinstance(shown[0], Mapping | list):
            text_of(shown[0], wanted, where)
        raise CorpusError(
            f"The column {wanted!r} of {where} holds {type(shown[0]).__name__}, not text.",
            "Name a column of text as text_column (--text-column).",
        )
    return wanted


def _rank(name: str, is_outer: bool) -> int:
    """How likely a name is that of the text; the least is the likeliest."""
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
    """How many letters (a table of numbers has none); 0 unless most values that are no numbers are text, or
    lists of it.
    """
    there = [value for value in values if value is not None and not isinstance(value, bool | int | float)]
    texts = [
        text_of(value, "", "") or ""
        for value in there
        if is_like_text(value) and not isinstance(value, Mapping)
    ]
    return sum(sum(map(str.isalpha, text)) for text in texts) if 2 * len(texts) > len(there) else 0
