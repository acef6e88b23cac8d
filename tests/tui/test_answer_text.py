"""Answers drawn: widths, hostile words, and signs that need no colour."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from workbench.tui.console.answer_text import answer_text, best_text
from workbench.tui.console.surprisal_text import style_of

HOSTILE = "[red]\x1b[2J\u202e"


def token(start: int, end: int, bits: float | None, best: str = "x") -> dict[str, Any]:
    rank = None if bits is None else 7
    return {"start": start, "end": end, "bits": bits, "best": best, "best_probability": 0.2, "rank": rank}


def surprised(text: str, *tokens: dict[str, Any]) -> dict[str, Any]:
    return {
        "text": text,
        "tokens": list(tokens),
        "count": 3,
        "bits_per_token": 4.0,
        "pseudo_perplexity": None,
    }


def test_figures_stand_beneath_their_words() -> None:
    text = "The lenght 東京 e\u0301t"
    drawn = answer_text(
        surprised(
            text,
            token(0, 3, 1.0),
            token(4, 7, 7.0),
            token(7, 10, 21.9),
            token(11, 13, 3.0),
            token(14, 17, None),
        ),
        60,
    )
    words, beneath = drawn.plain.splitlines()[3:5]
    assert words.rstrip() == "The len·ght  東京 e\u0301t"
    assert beneath == "1.0 7.0 21.9 3.0  –"
    assert cell_len(words[: words.index("東")]) == beneath.index("3.0")
    assert "∞" in drawn.plain, "a perplexity that no number holds"
    assert "ght 21.9 bits; expected x 20.0 %" in drawn.plain


@pytest.mark.parametrize("width", [16, 20, 38, 80])
def test_a_long_text_is_wrapped_between_words(width: int) -> None:
    text = " ".join(["word"] * 50) + " " + "東" * 60
    tokens = [token(5 * i, 5 * i + 4, float(i)) for i in range(50)] + [token(250, 310, 9.0, HOSTILE)]
    drawn = answer_text(surprised(text, *tokens), width).plain.splitlines()
    assert all(cell_len(row) <= max(width, 26) for row in drawn)
    assert sum(row.count("word") for row in drawn) >= 50


def test_levels_are_told_apart_without_colour() -> None:
    signs = [
        tuple(sorted(set(style_of(bits).split()) & {"bold", "underline", "reverse"}))
        for bits in (0.0, 2.0, 5.0, 10.0)
    ]
    assert len(set(signs)) == 4


def test_nothing_hostile_is_drawn() -> None:
    mask = {"predictions": [{"text": HOSTILE, "probability": 0.5}]}
    limited = {
        "predictions": [],
        "candidates": [
            {"text": HOSTILE, "probability": 1e-9, "why_not": ""},
            {"text": HOSTILE, "probability": None, "why_not": "runs into the word beside it"},
        ],
    }
    joint = [{"filled": HOSTILE, "words": [HOSTILE, "b"], "mean_probability": 0.1}]
    filled = {"filled": "other", "masks": [mask, limited], "joint": joint}
    assert best_text(filled) == HOSTILE and best_text({"filled": "old"}) == "old"
    for result in (filled, surprised(HOSTILE, token(0, 5, 12.0, HOSTILE), token(5, 10, 1.0))):
        drawn = answer_text(result, 60, [HOSTILE])
        assert "\x1b" not in drawn.plain and "\u202e" not in drawn.plain and "[red]" in drawn.plain
    assert "100 %" in answer_text(filled, 60).plain, "the share among the given words"
