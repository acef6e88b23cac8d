"""Pictures of the console: empty, as it was left, overfull, docked, and its lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from workbench.store import Store
from workbench.tui.app import WorkbenchApp

from .conftest import answer
from .support import settle

SIZES = [(80, 24), (120, 40)]
Compare = Callable[..., bool]
HOSTILE = "A [red]word[/red] 日本語 אבג e\u0301 \x1b[31m that [MASK] " + "on and " * 12 + "on."


@pytest.fixture(params=SIZES, ids=["80x24", "120x40"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]


def steps(*keys: str) -> Callable[[Pilot[Any]], Any]:
    """Press keys; the models that warm up meanwhile are not waited for."""

    async def go(pilot: Pilot[Any]) -> None:
        await settle(pilot, besides=("warm",))
        for key in keys:
            await pilot.press(key)
            await settle(pilot, besides=("warm",))

    return go


@pytest.fixture
def overfull(history: Store) -> Store:
    """Three checkpoints, a hostile sentence, and its surprisal as the last answer."""
    for epoch in (1, 2, 3):
        store_step = 148 * epoch
        history.add_checkpoint(
            6, step=store_step, epoch=epoch, path="gone", eval_perplexity=80.0, best=epoch == 2
        )
    words = [(start, start + len(word)) for start, word in _words(HOSTILE)]
    tokens = [
        {
            "start": start,
            "end": end,
            "token_id": 1,
            "token": "x",
            "bits": None if HOSTILE[start:end] == "[MASK]" else (7.3 * number) % 14,
            "rank": 3,
            "best": "[bold]\x1b[2Jbest",
            "best_probability": 0.25,
        }
        for number, (start, end) in enumerate(words)
    ]
    result = {
        "text": HOSTILE,
        "tokens": tokens,
        "count": len(tokens) - 1,
        "pseudo_log_likelihood": -100.0,
        "pseudo_perplexity": 123.4,
        "bits_per_token": 6.9,
    }
    history.add_fill(model="6 starter-now", run_id=6, text=HOSTILE, result=result)
    return history


def _words(text: str) -> list[tuple[int, str]]:
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        found.append((at, word))
        at += len(word)
    return found


@pytest.fixture
def candidates(history: Store) -> Store:
    """An answer with given words, of which one cannot stand there."""
    result = answer("The [MASK] list.", "The long list.")
    result["masks"][0]["candidates"] = [
        {"text": "long", "token_ids": [1], "log_probability": -2.0, "probability": 0.135, "why_not": ""},
        {
            "text": "sortable 日本",
            "token_ids": [1, 2],
            "log_probability": -6.0,
            "probability": 0.002,
            "why_not": "",
        },
        {"text": "x", "token_ids": [], "log_probability": None, "probability": None, "why_not": "is no text"},
    ]
    history.add_fill(model="6 starter-now", run_id=6, text="The [MASK] list.", result=result)
    return history


def test_console_empty(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("c"))


def test_console_as_left(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("c"))


def test_console_surprisal_overfull(
    app: WorkbenchApp, overfull: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("c"))


def test_console_surprisal_16_colours(
    app_of_16_colours: WorkbenchApp, overfull: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app_of_16_colours, terminal_size=size, run_before=steps("c"))


def test_console_surprisal_without_colour(
    app_without_colour: WorkbenchApp, overfull: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app_without_colour, terminal_size=size, run_before=steps("c"))


def test_console_given_words(
    app: WorkbenchApp, candidates: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("c", "ctrl+l"))


def test_console_four_models(
    app: WorkbenchApp, overfull: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("c", "ctrl+u", "ctrl+g"))


def test_console_docked(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("f5"))


def test_console_choosing_models(
    app: WorkbenchApp, overfull: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("c", "ctrl+o", "tab", "down", "tab"))


def test_console_past(
    app: WorkbenchApp, overfull: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("c", "ctrl+r"))


def test_console_no_past(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("c", "ctrl+r"))
