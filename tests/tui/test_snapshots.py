"""Pictures of every screen at the two sizes, on a real store with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from workbench.store import Store
from workbench.tui.app import WorkbenchApp

from .support import settle

SIZES = [(80, 24), (120, 40)]
Compare = Callable[..., bool]


def steps(*keys: str | tuple[str, ...]) -> Callable[[Pilot[Any]], Any]:
    """Press keys, letting the screen settle after each group."""

    async def go(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        for group in keys:
            await pilot.press(*([group] if isinstance(group, str) else group))
            await settle(pilot)

    return go


@pytest.fixture(params=SIZES, ids=["80x24", "120x40"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]


def test_no_runs_yet(app: WorkbenchApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps())


def test_runs(app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("j"))


def test_more_runs_than_fit(
    app: WorkbenchApp, crowd: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("G", "k"))


def test_new_run(app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("n"))


def test_new_run_with_all_open(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("n", "ctrl+o"))


def test_new_run_with_a_mistake(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("n", ("backspace", "backspace")))


def test_watching_a_running_run(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("enter"))


def test_watching_on_a_linear_axis(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("enter", "y", "l"))


def test_a_finished_run(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("G", "enter"))


def test_a_failed_run(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("j", "enter"))


def test_help(app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("question_mark"))


def test_asking_before_a_run_is_deleted(
    app: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=steps("G", "d"))


def test_without_colour(
    app_without_colour: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app_without_colour, terminal_size=size, run_before=steps("enter"))


def test_sixteen_colours(
    app_of_16_colours: WorkbenchApp, history: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app_of_16_colours, terminal_size=size, run_before=steps("j"))
