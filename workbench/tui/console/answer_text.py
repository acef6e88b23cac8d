"""Draws an answer of the console: the filled sentence, the best combinations, and bars for each mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from workbench.display import numbers
from workbench.display.answer import BEST_TOGETHER
from workbench.display.bars import bar_rows
from workbench.text import printable
from workbench.tui.console.surprisal_text import surprisal_text

_TOGETHER = 3
_TITLE = "not italic dim underline"


def answer_text(result: Mapping[str, Any], width: int, notes: Sequence[str] = ()) -> Text:
    """The answer in lines of `width` cells. `result`: from `FillResult.to_json` or `Surprisal.to_json`."""
    text = surprisal_text(result, width) if "tokens" in result else fill_text(result, width)
    for note in notes:
        text.append(f"\n\n! {printable(note)}", "not italic bold")
    return text


def best_text(result: Mapping[str, Any]) -> str:
    """The filled text, with the best combination if one was computed."""
    joint = result.get("joint")
    return str((joint[0] if joint else result).get("filled", ""))


def fill_text(result: Mapping[str, Any], width: int) -> Text:
    """The filled sentence, then the words and probabilities of each mask."""
    masks, joint = result.get("masks", []), result.get("joint") or []
    text = Text(printable(best_text(result)), style="italic")
    if joint:
        together = [(", ".join(one["words"]), float(one["mean_probability"])) for one in joint[:_TOGETHER]]
        _append_bars(
            text,
            BEST_TOGETHER,
            together,
            width,
            "green",
        )
    for number, mask in enumerate(masks, 1):
        title = f"mask {number} of {len(masks)}" if len(masks) > 1 else "mask"
        if mask.get("candidates"):
            _append_candidates(text, title, mask["candidates"], width)
        else:
            words = [(str(one["text"]), float(one["probability"])) for one in mask["predictions"]]
            _append_bars(text, title, words, width, "cyan")
    return text


def _append_bars(
    text: Text, title: str, words: Sequence[tuple[str, float]], width: int, bar_style: str
) -> None:
    text.append(f"\n\n{numbers.fit(title, width)}", _TITLE)
    for row in bar_rows(words, width, style="not italic", bar_style=bar_style):
        text.append("\n").append_text(row)


def _append_candidates(text: Text, title: str, candidates: Sequence[Mapping[str, Any]], width: int) -> None:
    """Bars of the candidates' shares among themselves, readable even where all are unlikely."""
    fit = [
        (str(candidate["text"]), float(candidate["probability"]))
        for candidate in candidates
        if candidate["probability"] is not None
    ]
    total = sum(probability for _, probability in fit) or 1.0
    of_all = f"{100 * total:.2g} % of all words"
    shares = [(word, probability / total) for word, probability in fit]
    _append_bars(text, f"{title}: shares among these, {of_all}", shares, width, "cyan")
    for candidate in candidates:
        if candidate["probability"] is None:
            row = f"{printable(str(candidate['text']))} — {printable(str(candidate['why_not']))}"
            text.append(f"\n{numbers.clip(row, width)}", "not italic dim")
