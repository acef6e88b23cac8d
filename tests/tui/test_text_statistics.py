"""F6 in the form: what a text is made of, counted by the real preview process."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from workbench.recipe import PRESETS
from workbench.tui.app import WorkbenchApp
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.new_run.text_statistics import TextStatistics

from .support import screen_text, settle, toasts
from .test_snapshots import Compare, size

__all__ = ["size"]
WORDS = ["the", "old", "cat", "sat", "on", "a", "mat", "and", "this", "dog", "ran", "under", "tall", "trees"]


@pytest.fixture(autouse=True)
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 documents of 2 to 82 words, some of them twice, in the current folder."""
    monkeypatch.chdir(tmp_path)
    lines = [" ".join(WORDS[(i + j) % len(WORDS)] for j in range(2 + i % 81)) for i in range(190)]
    Path("notes.txt").write_text("\n".join(lines + lines[30:40]), encoding="utf-8")


def opened(dataset: str) -> Callable[[Pilot[Any]], Any]:
    async def go(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        recipe = PRESETS["starter"].with_changes(dataset=dataset, chunk_size=32)
        pilot.app.push_screen(NewRunScreen(recipe))
        await settle(pilot)
        assert "unknown" in screen_text(pilot)
        await pilot.press("f6")
        await settle(pilot)
        assert isinstance(pilot.app.screen, TextStatistics)

    return go


def test_a_picture_of_it(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=opened("notes.txt"))


async def test_it_counts_and_the_cost_is_known_after_it(app: WorkbenchApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await opened("notes.txt")(pilot)
        shown = screen_text(pilot)
        assert re.search(r"documents +160 +40\b", shown)
        assert "10 repeated" in shown and "unknown to the tokenizer: 0.000%" in shown
        await pilot.press("j", "k", "escape")
        await settle(pilot)
        assert "unknown until the text is counted" not in screen_text(pilot)


async def test_what_cannot_be_read_is_said(app: WorkbenchApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await opened("./missing.txt")(pilot)
        assert "✗" in screen_text(pilot) and "missing.txt" in screen_text(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, NewRunScreen)


async def test_it_is_given_up_by_leaving(app: WorkbenchApp) -> None:
    with Path("large.txt").open("w", encoding="utf-8") as file:
        for number in range(60_000):
            file.write(f"{number} {' '.join(WORDS)} {number * 7} {' '.join(WORDS)}\n")
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        pilot.app.push_screen(NewRunScreen(PRESETS["starter"].with_changes(dataset="large.txt")))
        await settle(pilot)
        await pilot.press("f6")
        await settle(pilot, besides=("statistics",))
        await pilot.press("escape")
        await settle(pilot)  # no worker is left that waits
        assert isinstance(app.screen, NewRunScreen)


async def test_a_form_with_a_mistake_counts_nothing(app: WorkbenchApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        pilot.app.push_screen(NewRunScreen(PRESETS["starter"]))
        await settle(pilot)
        await pilot.press(*(["backspace"] * 3), "f6")
        await settle(pilot)
        assert isinstance(app.screen, NewRunScreen)
        assert any(toast.startswith("Fix “Chunk size” first: ") for toast in toasts(app))
