"""Pictures of what is asked on top of a screen: pickers, presets, the palette; and of an overfull form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from workbench.paths import CONFIG_VARIABLE
from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.new_run.screen import NewRunScreen

from .support import screen_text, settle, type_text
from .test_snapshots import Compare, size

__all__ = ["size"]
HOSTILE = "日本語[red]\x1b[31m" + "long-" * 60


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person who runs the tests is in the pictures."""
    for name in ("HF_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv(CONFIG_VARIABLE, "config")  # the dialog names it: not the one of this minute


def form(*keys: str, field: str = "", typed: str = "", **changes: Any) -> Callable[[Pilot[Any]], Any]:
    """Open the form, go to a field of any group, press keys, type."""

    async def go(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        pilot.app.push_screen(NewRunScreen(PRESETS["starter"].with_changes(**changes)))
        await settle(pilot)
        if field:
            await pilot.press("ctrl+o")
            await settle(pilot)
            pilot.app.screen.query_one(f"#field-{field} Input", Input).focus()
            await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        await type_text(pilot, typed)
        await settle(pilot)

    return go


def test_picking_a_text(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    for name in ("notes.txt", "日本語 文書.txt", "[red]table.csv", f"{'long-' * 30}.jsonl"):
        Path(name).write_text("text\n", encoding="utf-8")
    assert snap_compare(app, terminal_size=size, run_before=form("ctrl+l", field="dataset", typed="./"))


def test_picking_a_model(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=form("ctrl+l", field="model"))


def test_saving_a_preset(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=form("f3", typed="law, small"))


def test_the_palette(app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=form("ctrl+p", typed="preset"))


def test_a_form_of_hostile_values(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(
        app,
        terminal_size=size,
        run_before=form("ctrl+o", model=HOSTILE, dataset=HOSTILE, text_column=HOSTILE),
    )


def test_a_form_with_all_wrong(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def go(pilot: Pilot[Any]) -> None:
        await form("ctrl+o")(pilot)
        for field in pilot.app.screen.query(Input):
            field.value = "日本語 -1"
        await settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=go)


async def test_no_value_of_a_field_is_an_order_to_the_terminal(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await form("ctrl+o", model=HOSTILE, dataset=HOSTILE)(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, NewRunScreen)
        text = screen_text(pilot)
        assert "日本語[red]\ufffd[31mlong" in text and "\x1b" not in text
        assert screen._values["model"] == HOSTILE, "it is shown so, not changed"
