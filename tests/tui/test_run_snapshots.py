"""Pictures of the list of runs and of runs side by side, empty, usual and overfull."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from workbench.store import Store
from workbench.tui.app import WorkbenchApp

from .conftest import STARTER, add_run
from .support import add_points, losses, settle
from .test_snapshots import Compare, size, steps

__all__ = ["size"]  # a fixture


@pytest.fixture
def judged(history: Store) -> Store:
    """The history with stars, tags, a note, an archived run, and a second run that finished."""
    history.catalog.star([1, 4], True)
    history.catalog.retag([1, 3], lambda tags: ["law", "keep"])
    history.catalog.note([1], "the one to beat")
    history.catalog.archive([2], True)
    history.update_run(1, yardstick_perplexity=47.1)
    run = add_run(
        history,
        "wide-chunks",
        STARTER.with_changes(chunk_size=256, mask_prob=0.3, learning_rate=2e-3),
        status="finished",
        epoch=3.0,
        step=222,
        total_steps=222,
        baseline_perplexity=3700.0,
        eval_perplexity=88.0,
        best_eval_perplexity=84.0,
        tokens_per_second=21_000.0,
    )
    add_points(history, run, "train/loss", losses(222))
    add_points(history, run, "eval/perplexity", [(0, 3700.0), (74, 95.0), (148, 84.0), (222, 88.0)])
    return history


def picture(*keys: str | tuple[str, ...]) -> Callable[[Pilot[Any]], Any]:
    """Press keys, and let what is said in passing go."""

    async def go(pilot: Pilot[Any]) -> None:
        await steps(*keys)(pilot)
        pilot.app.clear_notifications()
        await settle(pilot)

    return go


def test_runs_with_all_there_is(
    app: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=picture("j", "space", "G", "space", "k", "G"))


def test_runs_further_to_the_right(
    app: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=picture("l", "l", "l", "l"))


def test_a_filter_with_a_mistake(
    app: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    keys = ("slash", *"ppl:10", "space", *"chunks:9")
    names = tuple({":": "colon"}.get(key, key) for key in keys)
    assert snap_compare(app, terminal_size=size, run_before=picture(names))


def test_a_filter_that_finds_nothing(
    app: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=picture(("slash", *"zebra")))


def test_choosing_what_to_sort_by(
    app: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=picture("s"))


def test_editing_tags(app: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=picture("G", "t"))


def test_runs_of_sixteen_colours(
    app_of_16_colours: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app_of_16_colours, terminal_size=size, run_before=picture("space", "space"))


def test_runs_without_colour(
    app_without_colour: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app_without_colour, terminal_size=size, run_before=picture("space", "space"))


def test_two_runs_compared(
    app: WorkbenchApp, judged: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(app, terminal_size=size, run_before=picture("space", "G", "space", "equals_sign"))


def test_eight_runs_compared(
    app: WorkbenchApp, crowd: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    for run_id in range(53, 61):
        values = [(0, 3500.0), (100, 90.0 + 9 * (run_id - 52)), (200, 30.0 + 6 * (run_id - 52))]
        add_points(crowd, run_id, "eval/perplexity", values)
    assert snap_compare(app, terminal_size=size, run_before=picture(("space",) * 8, "equals_sign"))


def test_runs_compared_without_a_point(
    app_without_colour: WorkbenchApp, crowd: Store, snap_compare: Compare, size: tuple[int, int]
) -> None:
    for run_id in (59, 60):
        crowd.update_run(run_id, baseline_perplexity=None)
    assert snap_compare(
        app_without_colour, terminal_size=size, run_before=picture("space", "space", "equals_sign")
    )
