"""Pictures of the form and the live view in the states that the usual ones do not show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.theme import PLAIN

from .support import add_points, screen_text, settle, until
from .test_snapshots import Compare, size

__all__ = ["size"]
WORDS = "The harbour was sold in spring; 日本語 and עברית stand beside unbelievable photographs, number"


def live(run_id: int, *keys: str) -> Callable[[Pilot[Any]], Any]:
    """Open a run and press keys."""

    async def go(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        pilot.app.open_live(run_id)  # type: ignore[attr-defined]
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        pilot.app.clear_notifications()
        await settle(pilot)

    return go


def preview() -> Callable[[Pilot[Any]], Any]:
    """Open a form on a small text, and its preview."""

    async def go(pilot: Pilot[Any]) -> None:
        text = Path("text.txt")
        text.write_text("".join(f"{WORDS} {i}.\n" for i in range(300)), encoding="utf-8")
        pilot.app.push_screen(NewRunScreen(PRESETS["starter"].with_changes(dataset="./text.txt")))
        await settle(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "tokens masked" in screen_text(pilot))
        await settle(pilot)

    return go


def with_figures(store: Store) -> None:
    """What a GPU machine measures while run 6 goes on."""
    for name, low, high in (
        ("train/learning_rate", 0.0, 1e-3),
        ("train/grad_norm", 0.8, 4.0),
        ("speed/tokens_per_second", 18_000.0, 21_000.0),
        ("system/gpu", 60.0, 98.0),
        ("system/gpu_memory", 31.0, 32.0),
        ("system/gpu_temperature", 45.0, 71.0),
        ("system/cpu", 8.0, 60.0),
        ("system/ram", 40.0, 42.0),
        ("system/worker_memory", 1.2, 1.6),
    ):
        points = [(step, low + (high - low) * ((step * 37) % 50) / 49) for step in range(1, 211, 3)]
        add_points(store, 6, name, points)
    for name, seconds in (("loading data", 3.2), ("baseline", 4.0), ("training", 61.0), ("saving", 0.7)):
        add_points(store, 1, f"time/{name}", [(100, seconds)])
        add_points(store, 1, "system/cpu", [(100, 50.0)])


def test_a_preview(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=preview())


def test_panels(app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    with_figures(history)
    keys = ("p",) if size[1] < 34 else ()
    assert snap_compare(app, terminal_size=size, run_before=live(6, *keys))


def test_phases(app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    with_figures(history)
    keys = ("p",) if size[1] < 34 else ()
    assert snap_compare(app, terminal_size=size, run_before=live(1, *keys, "z", "s"))


def test_a_log_that_is_searched(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    log = Path(history.run(6).folder) / "worker.log"
    log.write_text(
        "".join(f"line {i}, 日本語 [red] {'x' * (i % 90)}\n" for i in range(200)), encoding="utf-8"
    )
    assert snap_compare(app, terminal_size=size, run_before=live(6, "slash", "1", "7", "enter", "n"))


def test_a_run_that_has_not_begun(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=live(2))


@pytest.mark.parametrize("look", ["16-colours", "no-colour"])
def test_panels_with_few_colours(
    app: WorkbenchApp,
    history: Store,
    snap_compare: Compare,
    size: tuple[int, int],
    look: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_figures(history)
    if look == "16-colours":
        app.theme = PLAIN.name
    else:
        monkeypatch.setenv("NO_COLOR", "1")
        app = WorkbenchApp(history, clock=app.clock)
    keys = ("p",) if size[1] < 34 else ()
    assert snap_compare(app, terminal_size=size, run_before=live(6, *keys))
