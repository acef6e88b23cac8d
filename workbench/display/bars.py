"""Probability bars of the words predicted for a mask."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from workbench.display import numbers
from workbench.text import printable

_EIGHTHS = " ▏▎▍▌▋▊▉"
_SHARE_WIDTH = 6
_MIN_BAR = 4
_MIN_WITH_BAR = 28
"""Lines narrower than this have no bars, since the words need the room."""


def bar(share: float, width: int) -> str:
    """A bar of `width` cells filled to `share` (0..1), drawn in eighths; anything above 0 shows."""
    share = min(max(share, 0.0), 1.0)
    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def bar_rows(
    candidates: Sequence[tuple[str, float]],
    width: int,
    *,
    label: int = 0,
    style: str = "",
    bar_style: str = "",
) -> list[Text]:
    """One line of `width` cells per (text, probability): word, bar, percentage. Text is never markup.

    `label`: cells for the words, at most half the line; 0: as many as the longest needs.
    """
    words = [printable(text) for text, _ in candidates]
    longest = label or max((numbers.cell_len(word) for word in words), default=0)
    if width < _MIN_WITH_BAR:
        label, room = max(3, width - _SHARE_WIDTH - 1), 0
    else:
        label = max(3, min(longest, (width - _SHARE_WIDTH - 2) // 2))
        room = width - label - _SHARE_WIDTH - 2
    rows = []
    for word, (_, probability) in zip(words, candidates, strict=True):
        row = Text(numbers.fit(word, label), style=style, no_wrap=True, end="")
        if room >= _MIN_BAR:
            row.append(" ").append(bar(probability, room), bar_style)
        row.append(" ").append(numbers.fit(numbers.share(probability), _SHARE_WIDTH, "right"))
        rows.append(row)
    return rows
