"""Which column of a table holds the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

_USUAL_NAMES = ("text", "document", "content", "article", "body", "abstract", "sentence")


def choose_column(
    wanted: str | None,
    columns: Sequence[str],
    sample: Mapping[str, Sequence[object]],
    where: str,
    notes: Notes,
) -> str:
    """The column to read: `wanted`, or a guess, which is told through `notes`.

    columns: all there are. sample: for each of them its first values, by which the guess is made: among
    columns of text a usual name, or else the one with the most letters. Raises CorpusError that names the
    columns there are.
    """
    if wanted is not None:
        if wanted in columns:
            return wanted
        raise CorpusError(
            f"There is no column {wanted!r} in {where}. Columns: {', '.join(columns) or 'none'}.",
            "Name one of these as text_column (--text-column), or leave it empty to have it guessed.",
        )
    lengths = {name: _letters(sample.get(name, ())) for name in columns}
    of_text = [name for name in columns if lengths[name] > 0]
    if not of_text:
        raise CorpusError(
            f"No column of {where} holds text. Columns: {', '.join(columns) or 'none'}.",
            "Choose another file, or name the column as text_column (--text-column).",
        )
    usual = [name for name in _USUAL_NAMES if name in of_text]
    chosen = usual[0] if usual else max(of_text, key=lambda name: lengths[name])
    if len(columns) > 1:
        notes.info(f"Text column: {chosen}, guessed among {', '.join(columns)}.")
    return chosen


def _letters(values: Sequence[object]) -> int:
    """How many letters (a table of numbers has none); 0 when any value is neither text nor nothing."""
    if any(value is not None and not isinstance(value, str) for value in values):
        return 0
    return sum(sum(map(str.isalpha, value)) for value in values if isinstance(value, str))
