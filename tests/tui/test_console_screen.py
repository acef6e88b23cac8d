"""The console: answers from a real model in a real inference process, history, and each of its keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.console.dock import ConsoleDock
from workbench.tui.console.fill_pane import FillPane
from workbench.tui.console.history import History
from workbench.tui.console.pick_history import PickLine
from workbench.tui.console.pick_model import PickModel
from workbench.tui.console.screen import ConsoleScreen
from workbench.tui.runs.screen import RunsScreen
from workbench.tui.widgets.help import Help

from .support import screen_text, settle, toasts, type_text, until


def panes(app: WorkbenchApp) -> list[FillPane]:
    return list(app.screen.query(FillPane))


def labels(app: WorkbenchApp) -> list[str]:
    return [pane._label for pane in panes(app)]


def line(app: WorkbenchApp) -> Input:
    return app.screen.query_one("#line", Input)


async def settle_screen(pilot) -> None:  # type: ignore[no-untyped-def]
    """As `settle`, but without waiting for the model, which warms up meanwhile."""
    await settle(pilot, besides=("warm",))


async def press(pilot, *keys: str) -> None:  # type: ignore[no-untyped-def]
    await pilot.press(*keys)
    await settle_screen(pilot)


def add_checkpoints(store: Store) -> None:
    """Three epochs of run 6, of which the second is the best."""
    for epoch in (1, 2, 3):
        store.add_checkpoint(
            6, step=148 * epoch, epoch=epoch, path="gone", eval_perplexity=80.0 - epoch, best=epoch == 2
        )


def test_history_goes_back_and_forth_and_keeps_the_draft() -> None:
    history = History(["a", "b", "a"])
    assert [history.older("draft"), history.older("a"), history.older("b")] == ["a", "b", "b"]
    assert [history.newer("b"), history.newer("a"), history.newer("draft")] == ["a", "draft", "draft"]
    history.add("c")
    assert history.older("") == "c"
    assert History().older("typed") == "typed"


async def test_a_real_model_answers_in_every_way(app: WorkbenchApp, store: Store) -> None:
    async with app.run_test(size=(80, 50)) as pilot:
        await press(pilot, "c")
        assert "Type a sentence with [MASK]" in screen_text(pilot)
        await press(pilot, "ctrl+y")
        assert "no answer to copy" in toasts(app)[-1]
        await type_text(pilot, "The list ")
        await pilot.press("ctrl+t")
        await type_text(pilot, " and [MASK].")
        assert line(app).value == "The list [MASK] and [MASK]."
        await pilot.press("enter")
        await until(pilot, lambda: panes(app)[0].has_result, 120)
        text = screen_text(pilot)
        assert "best combinations" in text and "mask 1 of 2" in text and "mask 2 of 2" in text
        assert text.count(" %") == 3 + 10 and "█" in text
        await pilot.press("ctrl+n")
        await until(pilot, lambda: len(shown(app)["masks"][0]["predictions"]) == 10, 30)
        await until(pilot, lambda: len(store.fills()) == 2, 10)
        assert store.fills()[0].model == "starter"

        await press(pilot, "ctrl+y")
        assert app.clipboard == shown(app)["joint"][0]["filled"]

        await press(pilot, "ctrl+l")
        await type_text(pilot, "is, tokenizer")
        await pilot.press("enter")
        await until(pilot, lambda: "candidates" in shown(app)["masks"][0], 30)
        text = screen_text(pilot)
        assert "only is, tokenizer" in text and "shares among these" in text and "tokenizer" in text

        await pilot.press("ctrl+s")
        await until(pilot, lambda: "tokens" in shown(app), 30)
        text = screen_text(pilot)
        assert "pseudo-perplexity" in text and "bits" in text and "surprisal" in text
        await press(pilot, "ctrl+y")
        assert app.clipboard.startswith("The\t") and "[MASK]\t\n" in app.clipboard
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "masks" in shown(app), 30)

        await press(pilot, "ctrl+l", "ctrl+u", "enter")
        await until(pilot, lambda: "candidates" not in shown(app)["masks"][0], 30)
        await pilot.press("ctrl+u")
        await type_text(pilot, "no mask here")
        await pilot.press("enter")
        await until(pilot, lambda: not panes(app)[0].has_result, 30)
        assert "✗" in screen_text(pilot) and "[MASK]" in screen_text(pilot), "says how to write a mask"
        await pilot.press("up", "up")
        assert line(app).value == "The list [MASK] and [MASK]."
        await pilot.press("down", "down")
        assert line(app).value == "no mask here"


def shown(app: WorkbenchApp) -> dict:  # type: ignore[type-arg]
    return dict(panes(app)[0].result or {"masks": [{"predictions": []}]})


async def test_what_was_asked_before_is_there_again(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        text = screen_text(pilot)
        assert line(app).value == "The [MASK] of the list is an [MASK]."
        assert "The length of the list is an integer." in text and "41.0 %" in text
        assert "run 6 starter-now" in text and "starter (base)" in text
        await pilot.press("up", "up")
        assert line(app).value == "An older [MASK]?"


async def test_the_past_is_searched(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        await press(pilot, "ctrl+r")
        assert isinstance(app.screen, PickLine)
        choices = app.screen.query_one(OptionList)
        assert choices.option_count == 2
        await press(pilot, "down", "pagedown", "up", "pageup")
        await type_text(pilot, "older")
        assert choices.option_count == 1
        await press(pilot, "enter")
        assert line(app).value == "An older [MASK]?"
        await press(pilot, "ctrl+r")
        await type_text(pilot, "nothing like it")
        await settle_screen(pilot)
        assert "No sentence contains these words." in screen_text(pilot)
        await press(pilot, "enter")
        await press(pilot, "ctrl+r")
        await press(pilot, "escape")
        assert line(app).value == "An older [MASK]?"


async def test_base_and_checkpoints_beside_by_one_key(app: WorkbenchApp, history: Store) -> None:
    add_checkpoints(history)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        assert labels(app) == ["run 6 starter-now", "starter (base)"]
        await press(pilot, "ctrl+g")
        assert labels(app) == [
            "starter (base)",
            "run 6 starter-now, epoch 1",
            "run 6 starter-now, epoch 2 (best)",
            "run 6 starter-now, epoch 3",
        ]
        await press(pilot, "ctrl+g")
        assert labels(app) == ["run 6 starter-now"]
        await press(pilot, "ctrl+g")
        assert labels(app) == ["run 6 starter-now", "starter (base)"]


async def test_choosing_models(app: WorkbenchApp, history: Store, tmp_path: Path) -> None:
    add_checkpoints(history)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        await press(pilot, "ctrl+o")
        assert isinstance(app.screen, PickModel)
        await type_text(pilot, "starter-now epoch")
        await settle_screen(pilot)
        assert app.screen.query_one(OptionList).option_count == 4, "three, and the words as a name"
        await press(pilot, "tab", "down", "tab", "down", "tab", "tab")
        assert "✓" in screen_text(pilot)
        await press(pilot, "enter")
        assert labels(app) == ["run 6 starter-now, epoch 3", "run 6 starter-now, epoch 2 (best)"]
        await press(pilot, "ctrl+o")
        await type_text(pilot, "my/model")
        await press(pilot, "enter")
        assert labels(app) == ["my/model"]
        await press(pilot, "ctrl+g")
        assert "has a base to compare with" in toasts(app)[-1]
        (tmp_path / "folder" / "model").mkdir(parents=True)
        (tmp_path / "folder" / "model" / "config.json").write_text("{}")
        (tmp_path / "folder" / "model" / "model.safetensors").write_bytes(b"")
        await press(pilot, "ctrl+o")
        await type_text(pilot, "./fol")
        await settle_screen(pilot)
        await press(pilot, "enter")
        assert app.screen.query_one(Input).value == "./folder/"
        await press(pilot, "enter")
        assert labels(app) == ["./folder/model"]
        await type_text(pilot, "A ")
        await press(pilot, "ctrl+t", "enter")
        await until(pilot, lambda: "✗" in screen_text(pilot), 60)
        await press(pilot, "ctrl+o")
        await press(pilot, "down", "up", "escape")
        assert isinstance(app.screen, ConsoleScreen)


async def test_the_dock(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "f5")
        assert isinstance(app.screen, RunsScreen)
        assert line(app).has_focus and app.screen.query_one(ConsoleDock).region.bottom <= 29
        await pilot.press("ctrl+u")
        await type_text(pilot, "q is a letter")
        await press(pilot, "ctrl+t")
        await press(pilot, "tab")
        assert not line(app).has_focus
        await press(pilot, "f5")
        assert line(app).has_focus, "F5 goes to it"
        await press(pilot, "f5")
        assert not app.screen.query(ConsoleDock)
        assert app.screen.focused is not None, "the list has the keys again"
        await press(pilot, "enter")
        await press(pilot, "f5")
        assert line(app).value == "q is a letter[MASK]", "on another screen, as it was left"
        await press(pilot, "f4")
        assert isinstance(app.screen, ConsoleScreen) and line(app).value == "q is a letter[MASK]"
        await press(pilot, "f5")
        assert not app.screen.query(ConsoleDock), "there is one console already"
        await press(pilot, "escape")
        assert not isinstance(app.screen, ConsoleScreen)
        await press(pilot, "f5")
        await press(pilot, "escape")
        assert not app.screen.query(ConsoleDock)


async def test_help_scrolling_and_back(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 12)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        await press(pilot, "pagedown")
        assert panes(app)[0].scroll_y > 0
        await press(pilot, "pageup")
        assert panes(app)[0].scroll_y == 0
        await press(pilot, "ctrl+l", "escape")
        assert line(app).has_focus, "Escape in the words goes back to the line"
        await press(pilot, "f1")
        assert isinstance(app.screen, Help)
        assert {"^s", "^l", "^g", "^o", "^r", "^y"} <= {name for key in app.screen._keys for name in key.keys}
        await press(pilot, "escape")
        await press(pilot, "escape")
        assert isinstance(app.screen, RunsScreen)


@pytest.mark.parametrize("size", [(30, 8), (200, 50)])
async def test_any_size(app: WorkbenchApp, history: Store, size: tuple[int, int]) -> None:
    add_checkpoints(history)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        await press(pilot, "ctrl+g")
        await pilot.resize_terminal(*size)
        await settle_screen(pilot)
        assert all(len(text) <= size[0] for text in screen_text(pilot).splitlines())
