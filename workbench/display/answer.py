"""An answer on a terminal: the sentence, then a bar for each predicted word, or the bits of each token."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from workbench.display import numbers
from workbench.inference.results import FillResult, MaskFill, Surprisal, TokenSurprisal
from workbench.text import printable

_BAR_WIDTH, _WIDEST_WORD, _NARROWEST_BAR = 40, 24, 5
_SHARE_WIDTH = 8
_SHOWN_TOGETHER = 3
_HIGH_BITS = 8.0
_GAP = 2


def beside(answers: Sequence[tuple[str, FillResult | Surprisal]], width: int, *, bar: str = "█") -> Table:
    """Several models' answers to one question, side by side under the models' names."""
    count = len(answers)
    each = max((width - _GAP * (count - 1)) // count, 10)
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    for _ in answers:
        grid.add_column(width=each, overflow="fold")
    grid.add_row(*[Text(printable(label), "bold underline") for label, _ in answers])
    grid.add_row(*[render(answer, each, bar=bar) for _, answer in answers])
    return grid


def render(result: FillResult | Surprisal, width: int = 80, *, bar: str = "█") -> Text:
    """An answer in `width` cells. `bar` "": no bars, only numbers.

    Texts are never parsed as markup, and lose their control characters.
    """
    if isinstance(result, Surprisal):
        return _surprisal(result, width, bar)
    best = result.joint[0].filled if result.joint else result.filled
    shown = Text(printable(best), style="bold")
    if result.joint:
        shown.append("\n" + numbers.clip(BEST_TOGETHER, max(width, 20)), "not bold dim")
        together = result.joint[:_SHOWN_TOGETHER]
        rows = [(", ".join(combination.words), combination.mean_probability, "") for combination in together]
        _append_rows(shown, rows, width, bar, width // 2)
    for number, mask in enumerate(result.masks, 1):
        if len(result.masks) > 1:
            shown.append(f"\nmask {number} of {len(result.masks)}", "not bold dim")
        _append_rows(shown, _words(mask), width, bar, _WIDEST_WORD)
    return shown


BEST_TOGETHER = "best combinations, mean probability"
"""Heads combinations of words for several masks: the mean of each word's probability, given the others."""
_Row = tuple[str, float | None, str]


def _words(mask: MaskFill) -> list[_Row]:
    if mask.candidates:
        return [(candidate.text, candidate.probability, candidate.why_not) for candidate in mask.candidates]
    return [(candidate.text, candidate.probability, "") for candidate in mask.predictions]


def _append_rows(shown: Text, rows: Sequence[_Row], width: int, bar: str, widest: int) -> None:
    words = [printable(text) for text, _, _ in rows]
    longest = min(max(map(cell_len, words), default=0), widest, width - _SHARE_WIDTH - 2)
    for word, (_, share, why_not) in zip(words, rows, strict=True):
        row = Text(set_cell_size(word, longest), style="not bold")
        if share is None:
            row.append(f"  — {printable(why_not)}"[: max(width - longest - 2, 0)])
        else:
            row.append(_percent(share))
            room = min(_BAR_WIDTH, width - longest - _SHARE_WIDTH - 4)
            if bar and room >= _NARROWEST_BAR:
                row.append(" ").append(bar * round(share * room), "cyan")
        row.rstrip()
        shown.append("\n  ").append(row)


def _percent(share: float) -> str:
    """Eight cells, the first empty; a small share keeps one significant digit while it fits, else it is 0."""
    if share >= 5e-4 or share < 1e-95:
        return f"{100 * share:6.1f} %"
    return (f"{100 * share:.3f} %" if share >= 5e-6 else f"{100 * share:.0e} %").rjust(_SHARE_WIDTH)


def _surprisal(result: Surprisal, width: int, bar: str) -> Text:
    """A line for each token: bits, a bar, and the most expected token where that is another one."""
    shown = Text(f"pseudo-perplexity {result.pseudo_perplexity:,.1f}", "bold")
    tokens = "token" if result.count == 1 else "tokens"
    shown.append(f", {result.bits_per_token:.2f} bits/token, {result.count} {tokens}", "not bold")
    words = [printable(result.text[token.start : token.end]) for token in result.tokens]
    longest = min(max(map(cell_len, words), default=0), _WIDEST_WORD, max(width - 12, 1))
    for word, token in zip(words, result.tokens, strict=True):
        row = Text(set_cell_size(word, longest), style="not bold")
        if token.bits is None:
            row.append("  not scored")
        else:
            row.append(f"{token.bits:7.1f} ", "bold" if token.bits >= _HIGH_BITS else "")
            room = width - row.cell_len - 2
            row.append(_comment(token, room, bar))
        row.rstrip()
        row.truncate(max(width - 2, 1))
        shown.append("\n  ").append(row)
    return shown


def _comment(token: TokenSurprisal, room: int, bar: str) -> str:
    assert token.bits is not None
    drawn = (bar * min(round(token.bits), 20)).ljust(21) if bar and room > 21 else ""
    expected = f"{printable(token.best)}{_percent(token.best_probability)}" if token.rank != 1 else ""
    return drawn + (expected if cell_len(drawn) + cell_len(expected) <= room else "")
