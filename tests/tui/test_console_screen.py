"""The console: answers from a real model in a real inference process, history, and each of its keys."""

from __future__ import annotations

import pytest
from textual.widgets import Input, OptionList

from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.console import ConsoleScreen
from workbench.tui.screens.help import Help
from workbench.tui.screens.pick_model import PickModel
from workbench.tui.screens.runs import RunsScreen
from workbench.tui.widgets.fill_pane import FillPane
from workbench.tui.widgets.history import History

from .support import screen_text, settle, type_text, until


def pane(app: WorkbenchApp, name: str = "main") -> FillPane:
    return app.screen.query_one(f"#{name}", FillPane)


def line(app: WorkbenchApp) -> Input:
    return app.screen.query_one("#line", Input)


def test_history_goes_back_and_forth_and_keeps_the_draft() -> None:
    history = History(["a", "b", "a"])
    assert [history.older("draft"), history.older("a"), history.older("b")] == ["a", "b", "b"]
    assert [history.newer("b"), history.newer("a"), history.newer("draft")] == ["a", "draft", "draft"]
    history.add("c")
    assert history.older("") == "c"
    assert History().older("typed") == "typed"


async def test_several_masks_are_filled_by_a_real_model(app: WorkbenchApp, store: Store) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.press("c")
        await settle_screen(pilot)
        assert "Type a sentence with [MASK]" in screen_text(pilot)
        await type_text(pilot, "The capital of france is ")
        await pilot.press("ctrl+t")
        await type_text(pilot, " and [MASK].")
        assert line(app).value == "The capital of france is [MASK] and [MASK]."
        await pilot.press("enter")
        await until(pilot, lambda: pane(app).has_result, 120)
        text = screen_text(pilot)
        assert "mask 1 of 2" in text and "mask 2 of 2" in text
        assert text.count(" %") == 10 and "█" in text
        await pilot.press("ctrl+n")
        await until(pilot, lambda: len(shown(app)["masks"][0]["predictions"]) == 10, 30)
        await until(pilot, lambda: len(store.fills()) == 2, 10)
        fill = store.fills()[-1]
        assert fill.text == "The capital of france is [MASK] and [MASK]." and fill.model == "starter"
        await pilot.press("ctrl+u")
        await type_text(pilot, "no mask here")
        await pilot.press("enter")
        await until(pilot, lambda: not pane(app).has_result, 30)
        assert "✗" in screen_text(pilot) and "[MASK]" in screen_text(pilot), "says how to write a mask"
        await pilot.press("up", "up")
        assert line(app).value == "The capital of france is [MASK] and [MASK]."
        await pilot.press("down", "down")
        assert line(app).value == "no mask here"


def shown(app: WorkbenchApp) -> dict:  # type: ignore[type-arg]
    content = pane(app)._content
    assert not isinstance(content, str)
    return dict(content)


async def settle_screen(pilot) -> None:  # type: ignore[no-untyped-def]
    """As `settle`, but without waiting for the model, which warms up meanwhile."""
    await pilot.pause(0.3)


async def test_what_was_asked_before_is_there_again(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        await settle_screen(pilot)
        text = screen_text(pilot)
        assert line(app).value == "The [MASK] of the list is an [MASK]."
        assert "The length of the list is an integer." in text and "41.0 %" in text
        assert "6 starter-now" in text and "starter (base)" in text
        await pilot.press("up", "up")
        assert line(app).value == "An older [MASK]?"


async def test_base_beside_can_be_put_away(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        await settle_screen(pilot)
        narrow = pane(app).size.width
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert not pane(app, "base").display and pane(app).size.width > narrow
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert pane(app, "base").display


async def test_choosing_a_model(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        await settle_screen(pilot)
        await pilot.press("ctrl+r")
        await pilot.pause(0.3)
        assert isinstance(app.screen, PickModel)
        choices = app.screen.query_one(OptionList)
        assert choices.option_count == 4  # two runs with a checkpoint, two base models
        await type_text(pilot, "first")
        await pilot.pause()
        assert choices.option_count == 2  # the run, and the words taken as a model's name
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert isinstance(app.screen, ConsoleScreen)
        assert "1 first" in screen_text(pilot)
        await pilot.press("ctrl+r")
        await pilot.pause(0.3)
        await type_text(pilot, "my/model")
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert "my/model" in screen_text(pilot) and not pane(app, "base").display
        await pilot.press("ctrl+r")
        await pilot.pause(0.3)
        await pilot.press("down", "up", "escape")
        await pilot.pause()
        assert isinstance(app.screen, ConsoleScreen)


async def test_help_scrolling_and_back(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 12)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        await settle_screen(pilot)
        await pilot.press("pagedown")
        await pilot.pause()
        assert pane(app).scroll_y > 0
        await pilot.press("pageup")
        await pilot.pause()
        assert pane(app).scroll_y == 0
        await pilot.press("f1")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)


@pytest.mark.parametrize("size", [(30, 8), (200, 50)])
async def test_any_size(app: WorkbenchApp, history: Store, size: tuple[int, int]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        await settle_screen(pilot)
        await pilot.resize_terminal(*size)
        await pilot.pause(0.2)
        assert all(len(text) <= size[0] for text in screen_text(pilot).splitlines())
