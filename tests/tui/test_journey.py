"""The main job on the screens alone, with real workers: train, watch, stop, resume, fill."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from workbench.status import Status
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.console.fill_pane import FillPane
from workbench.tui.live.screen import LiveScreen
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.runs.table import RunTable

from .support import screen_text, settle, toasts, type_text, until


@pytest.fixture
def real_app(store: Store, monkeypatch: pytest.MonkeyPatch) -> WorkbenchApp:
    """With the real clock, on the machine's real name: workers look at both."""
    monkeypatch.undo()
    return WorkbenchApp(store)


async def start(pilot, changes: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    """Open the form, unfold all of it, set these fields, and start."""
    await pilot.press("n")
    await settle(pilot)
    assert isinstance(pilot.app.screen, NewRunScreen)
    await pilot.press("ctrl+o")
    await settle(pilot)
    for name, value in changes.items():
        pilot.app.screen.query_one(f"#field-{name} Input", Input).value = value
    await settle(pilot)
    await pilot.press("ctrl+s")
    await until(pilot, lambda: isinstance(pilot.app.screen, LiveScreen), 30)


async def test_train_watch_and_fill(real_app: WorkbenchApp, store: Store) -> None:
    async with real_app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await start(pilot, {"max_steps": "3", "chunk_size": "32", "batch_size": "8", "test_size": "10"})
        assert "It continues when you quit" in toasts(real_app)[0]
        await until(pilot, lambda: store.run(1).status == Status.FINISHED, 180)
        await until(pilot, lambda: "✓ 1" in screen_text(pilot), 10)
        text = screen_text(pilot)
        assert "3/3 steps" in text and "╌╌ baseline" in text and "⠒● test" in text
        assert store.run(1).environment["command"].startswith("mlm-workbench train --preset starter")
        await pilot.press("c")
        await settle(pilot, besides=("warm",))
        await type_text(pilot, "The [MASK] of the list.")
        await pilot.press("enter")
        panes = list(real_app.screen.query(FillPane))
        await until(pilot, lambda: all(pane.has_result for pane in panes), 120)
        assert panes[0]._content != panes[1]._content, "training changed the model"
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert "✓ finished" in screen_text(pilot)
        await pilot.press("n")
        await settle(pilot)
        real_app.screen.query_one("#field-chunk_size Input", Input).value = "16"
        await settle(pilot)
        assert "unknown" in screen_text(pilot), "other documents are held out: not the same text"


async def test_stop_and_resume(real_app: WorkbenchApp, store: Store) -> None:
    async with real_app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await start(pilot, {"epochs": "500", "chunk_size": "32", "batch_size": "8", "test_size": "10"})
        await until(pilot, lambda: (store.run(1).step or 0) >= 2, 180)
        await settle(pilot)
        await pilot.press("x")
        await until(pilot, lambda: store.run(1).status == Status.STOPPED, 60)
        stopped_at = store.run(1).step or 0
        await until(pilot, lambda: "■ 1" in screen_text(pilot), 10)
        await pilot.press("escape")
        await settle(pilot)
        assert real_app.screen.query_one(RunTable).current == 1
        await pilot.press("r")
        await until(pilot, lambda: (store.run(1).step or 0) > stopped_at, 180)
        assert store.run(1).segment == 1
        await pilot.press("x")
        await until(pilot, lambda: store.run(1).status == Status.STOPPED, 60)
