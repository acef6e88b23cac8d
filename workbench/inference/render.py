"""A fill result on a terminal: the sentence, then a bar for each word that fits."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from workbench.inference.results import FillResult, Prediction
from workbench.text import printable

_BAR_WIDTH, _WIDEST_WORD, _NARROWEST_BAR = 40, 24, 5
_SHARE_WIDTH = 8


def render(result: FillResult, width: int = 80, *, bar: str = "█") -> Text:
    """The filled text and each mask's predictions in `width` cells. `bar` "": no bars, only numbers.

    Texts are shown as they are, never as markup, without control characters.
    """
    shown = Text(printable(result.filled), style="bold")
    for number, mask in enumerate(result.masks, 1):
        if len(result.masks) > 1:
            shown.append(f"\nmask {number} of {len(result.masks)}", "not bold dim")
        words = [printable(one.text) for one in mask.predictions]
        longest = min(max(map(cell_len, words), default=0), _WIDEST_WORD, width - _SHARE_WIDTH - 2)
        for word, prediction in zip(words, mask.predictions, strict=True):
            shown.append("\n  ").append(_row(word, longest, prediction, width, bar))
    return shown


def _row(word: str, longest: int, prediction: Prediction, width: int, bar: str) -> Text:
    row = Text(set_cell_size(word, longest), style="not bold")
    row.append(f"{100 * prediction.probability:6.1f} %")
    room = min(_BAR_WIDTH, width - longest - _SHARE_WIDTH - 4)
    if bar and room >= _NARROWEST_BAR:
        row.append(" ").append(bar * round(prediction.probability * room), "cyan")
    row.rstrip()
    return row
