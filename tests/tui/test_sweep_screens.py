"""The sweeps: each key of the list and of one sweep, on a real store."""

from __future__ import annotations

import asyncio
import json
import platform
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.live.screen import LiveScreen
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.runs.screen import RunsScreen
from workbench.tui.sweeps.list_screen import SweepsScreen
from workbench.tui.sweeps.page import Page
from workbench.tui.sweeps.pick_run import PickRun
from workbench.tui.sweeps.sweep_screen import SweepScreen
from workbench.tui.widgets.ask_line import AskLine
from workbench.tui.widgets.confirm import Confirm
from workbench.tui.widgets.help import Help

from ..sweeps.conftest import kept_by_another, waiting_sweep
from . import sweep_worlds as worlds
from .support import screen_text, settle, toasts, until


async def open_sweep(app: WorkbenchApp, pilot: Pilot[None], sweep_id: int = 1) -> SweepScreen:
    await settle(pilot)
    app.open_sweep(sweep_id)
    await settle(pilot)
    assert isinstance(app.screen, SweepScreen)
    return app.screen


async def answer(pilot: Pilot[None], text: str) -> None:
    """Put this into the dialog that is open."""
    await settle(pilot)
    assert isinstance(pilot.app.screen, AskLine)
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")
    await settle(pilot)


async def test_without_a_sweep_it_says_what_to_press(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("w")
        await settle(pilot)
        assert "No sweeps yet" in screen_text(pilot) and "Press  n" in screen_text(pilot)
        await pilot.press("p", "t", "e", "K", "J", "s", "enter")
        await settle(pilot)
        assert isinstance(app.screen, SweepsScreen), "there is nothing that these keys could act on"
        await pilot.press("n")
        await settle(pilot)
        assert isinstance(app.screen, NewRunScreen)


async def test_the_list_says_how_far_each_is_and_what_is_best(app: WorkbenchApp, store: Store) -> None:
    worlds.half_done(store)
    worlds.search(store)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("w")
        await settle(pilot)
        rows = [line.split() for line in screen_text(pilot).splitlines()]
        grid = next(row for row in rows if "size-and-masks" in row)
        assert grid[:1] == ["1"] and grid[3:8] == ["paused", "12", "0", "5", "1"]
        assert grid[8:] == ["44.7", "chunk_size", "128,", "mask_prob", "0.15"]
        found = next(row for row in rows if "best-rate" in row)
        assert found[3:9] == ["paused", "0", "0", "10", "0", "—"], "trials to come wait too"
        await pilot.press("j", "enter")
        await settle(pilot)
        assert isinstance(app.screen, SweepScreen) and app.screen.sweep_id == 1
        await pilot.press("escape", "k", "question_mark")
        await settle(pilot)
        assert isinstance(app.screen, Help)
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert isinstance(app.screen, RunsScreen)


async def test_a_whole_sweep_is_moved_trimmed_extended_and_saved_from_the_list(
    app: WorkbenchApp, store: Store
) -> None:
    for name in ("first", "second"):
        worlds.queue(store, worlds.Plan(worlds.STARTER, {"chunk_size": (64, 128)}), name)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("w")
        await settle(pilot)
        await pilot.press("K")  # the second, which is listed first
        await settle(pilot)
        assert list(store.sweeps.lines.queue()) == [3, 4, 1, 2]
        await pilot.press("K")
        await settle(pilot)
        assert "“second” is already first in the queue." in toasts(app)
        await pilot.press("J")
        await settle(pilot)
        assert list(store.sweeps.lines.queue()) == [1, 2, 3, 4]
        await pilot.press("e")
        await answer(pilot, "chunk_size=256")
        assert [run.recipe["chunk_size"] for run in store.sweeps.runs(2)] == [64, 128, 256]
        await pilot.press("s")
        await answer(pilot, "second.csv")
        assert "chunk_size,yardstick_perplexity" in Path("second.csv").read_text()
        await pilot.press("t")
        await settle(pilot)
        assert isinstance(app.screen, Confirm) and "Drop 3 waiting runs of “second”?" in screen_text(pilot)
        await pilot.press("y")
        await settle(pilot)
        assert store.sweeps.runs(2) == [] and "Dropped 3 runs." in toasts(app)


async def test_the_map_marks_the_best_and_what_cannot_be_told_from_it(
    app: WorkbenchApp, store: Store
) -> None:
    worlds.half_done(store)
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await open_sweep(app, pilot)
        rows = screen_text(pilot).splitlines()
        assert "64" in rows[3] and "128" in rows[3] and "256" in rows[3]
        assert rows[4].split("]")[0].endswith("44.7 ★ "), "the cursor begins at the best"
        assert "≈" in rows[5] and rows[4].rstrip().endswith("48.4"), "256 is behind"
        assert screen.entry and screen.entry.values == {"chunk_size": 128, "mask_prob": 0.15}
        assert "run 4 seed 42 finished 44.7 · run 13 seed 43 failed" in screen_text(pilot)
        await pilot.press("down", "right")
        await settle(pilot)
        assert screen.entry.values == {"chunk_size": 256, "mask_prob": 0.3}
        assert "run 17 seed 43 waiting, place 4" in screen_text(pilot)
        for key, expected in (("h", 128), ("left", 64), ("k", 64), ("end", 256), ("home", 64)):
            await pilot.press(key)
            await settle(pilot)
            assert screen.entry and screen.entry.values["chunk_size"] == expected, key
        assert "Effect of each field" in screen_text(pilot) and "up to +8.9 %" in screen_text(pilot)


async def test_a_cell_opens_its_run_or_asks_which(app: WorkbenchApp, store: Store) -> None:
    worlds.half_done(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, PickRun)
        assert "run 4 seed 42 finished 44.7" in screen_text(pilot)
        await pilot.press("j", "k", "escape", "enter", "j", "enter")
        await settle(pilot)
        assert isinstance(app.screen, LiveScreen) and app.screen.run_id == 13
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, SweepScreen)


async def test_axes_turn_through_the_fields(app: WorkbenchApp, store: Store) -> None:
    worlds.of_three_fields(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot)
        seen = []
        for _ in range(4):
            rows = screen_text(pilot).splitlines()
            seen.append((rows[2].strip(), rows[3].split()[0]))
            await pilot.press("a")
            await settle(pilot)
        pairs = [("chunk_size", "mask_prob"), ("chunk_size", "learning_rate"), ("mask_prob", "learning_rate")]
        assert seen == [*pairs, pairs[0]]
        assert "each cell shows the best of its recipes" in screen_text(pilot)


async def test_view_goes_through_the_figures(app: WorkbenchApp, store: Store) -> None:
    worlds.half_done(store)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_sweep(app, pilot)
        page = screen.query_one(Page)
        assert "Recipes, best first" in screen_text(pilot)
        await pilot.press("v")
        await settle(pilot)
        assert "Effect of each field" in screen_text(pilot) and "up to +0.80 %" in screen_text(pilot)
        await pilot.press("v")
        await settle(pilot)
        assert "Test curves" in screen_text(pilot) and "89.4 → 49.2" in screen_text(pilot)
        for _ in range(3):
            await pilot.press("v")
            await settle(pilot)
            if page.scroll_y == 0:
                break
        assert page.scroll_y == 0, "after the last it begins again"
        await pilot.press("v", "v")
        await settle(pilot)
        await pilot.press("ctrl+u", "ctrl+u", "ctrl+u", "ctrl+u", "ctrl+u")
        await settle(pilot)
        assert page.scroll_y == 0
        await pilot.press("space")
        await settle(pilot)
        assert page.scroll_y == page.size.height - 1


async def test_pausing_and_going_on(app: WorkbenchApp, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Store] = []
    monkeypatch.setattr("workbench.sweeps.queueing.ensure_scheduler", started.append)
    monkeypatch.setattr("workbench.worker.liveness.ensure_scheduler", started.append)
    worlds.half_done(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot)
        await pilot.press("p")
        await settle(pilot)
        assert store.sweeps.sweep(1).status == "going" and started
        assert "running · 12 of 18 done" in screen_text(pilot)
        await pilot.press("p")
        await settle(pilot)
        assert store.sweeps.sweep(1).status == "paused" and "paused · 12 of 18" in screen_text(pilot)


async def test_trimming_a_cell_and_all(app: WorkbenchApp, store: Store) -> None:
    worlds.half_done(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot)
        await pilot.press("t")
        await settle(pilot)
        assert "No run of this recipe is waiting." in toasts(app)
        await pilot.press("j", "t")
        await settle(pilot)
        assert isinstance(app.screen, Confirm) and "Drop 1 waiting run of this recipe?" in screen_text(pilot)
        await pilot.press("n", "t", "y")
        await settle(pilot)
        assert 14 not in store.sweeps.lines.queue() and len(store.sweeps.lines.queue()) == 4
        await pilot.press("T", "y")
        await settle(pilot)
        assert not store.sweeps.lines.queue() and "done · 12 of 13 done, 1 failed" in screen_text(pilot)
        await pilot.press("p")
        await settle(pilot)
        assert any("is done. e queues more" in toast for toast in toasts(app))


async def test_a_recipe_is_started_earlier_or_later(app: WorkbenchApp, store: Store) -> None:
    worlds.half_done(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot)
        await pilot.press("end", "K")
        await settle(pilot)
        assert list(store.sweeps.lines.queue()) == [14, 15, 16, 18, 17]
        assert "run 18 seed 43 waiting, place 4" in screen_text(pilot)
        await pilot.press("ctrl+up", "J")
        await settle(pilot)
        assert list(store.sweeps.lines.queue()) == [14, 15, 16, 18, 17]
        await pilot.press("ctrl+down", "J")
        await settle(pilot)
        assert list(store.sweeps.lines.queue()) == [14, 15, 16, 17, 18]
        assert "This recipe is already last in the queue." in toasts(app)


async def test_extending_a_grid_and_a_search(app: WorkbenchApp, store: Store) -> None:
    worlds.half_done(store)
    worlds.search(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot)
        await pilot.press("e")
        await answer(pilot, "mask_prob=0.5 seeds=1,2")
        runs = store.sweeps.runs(1)
        assert len(runs) == 4 * 3 * 4 and {run.recipe["seed"] for run in runs} == {42, 43, 1, 2}
        assert "Queued 30 more runs." in toasts(app)
        await pilot.press("e")
        await answer(pilot, "mask_share")
        assert any("FIELD=VALUES" in str(one.title) for one in app._notifications)
        await pilot.press("escape")
        await open_sweep(app, pilot, 2)
        await pilot.press("e")
        await answer(pilot, "5")
        assert store.sweeps.sweep(2).trials_left == 15
        await pilot.press("e")
        await answer(pilot, "many")
        assert any("not a number of trials" in str(one.title) for one in app._notifications)


async def test_saving_in_each_form(app: WorkbenchApp, store: Store) -> None:
    worlds.half_done(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot)
        begins = {"csv": "chunk_size,", "json": "{", "md": "# size", "svg": "<svg"}
        for ending, begin in begins.items():
            await pilot.press("s")
            await answer(pilot, f"out.{ending}")
            assert Path(f"out.{ending}").read_text(encoding="utf-8").startswith(begin)
        assert json.loads(Path("out.json").read_text())["entries"][0]["n"] == 2
        Path("out.svg").write_text("mine")
        await pilot.press("s")
        await answer(pilot, "out.svg")
        assert isinstance(app.screen, Confirm), "a file is not replaced unasked"
        await pilot.press("n")
        await settle(pilot)
        assert Path("out.svg").read_text() == "mine"
        await pilot.press("s")
        await answer(pilot, "out.xls")
        assert any(".csv, .json, .md, .svg" in one.message for one in app._notifications)


async def test_seeds_alone_and_a_search_without_a_trial_are_shown(app: WorkbenchApp, store: Store) -> None:
    worlds.queue(store, worlds.Plan(worlds.STARTER, {}, seeds=(1, 2)), "seeds")
    worlds.search(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot, 1)
        assert "run 1 seed 1 waiting, place 1 · run 2 seed 2" in screen_text(pilot)
        await pilot.press("J", "enter", "enter")
        await settle(pilot)
        assert isinstance(app.screen, LiveScreen)
        await pilot.press("escape", "escape")
        await open_sweep(app, pilot, 2)
        assert "10 waiting" in screen_text(pilot) and "No recipe is planned here" in screen_text(pilot)


async def test_its_keys_are_explained_and_esc_leaves(app: WorkbenchApp, store: Store) -> None:
    worlds.of_three_fields(store)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_sweep(app, pilot)
        footer = screen_text(pilot).splitlines()[-1]
        assert footer.rstrip().endswith("Back") and "Axes" in footer, "all of it fits 80 columns"
        await pilot.press("question_mark")
        await settle(pilot)
        assert isinstance(app.screen, Help) and "not distinguishable from it" in screen_text(pilot)
        await pilot.press("escape", "q")
        await settle(pilot)
        assert isinstance(app.screen, RunsScreen) and not screen.is_attached


@pytest.mark.parametrize("size", [(20, 6), (40, 12), (200, 60)])
async def test_any_size(app: WorkbenchApp, store: Store, size: tuple[int, int]) -> None:
    worlds.half_done(store)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_sweep(app, pilot)
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert all(len(line) <= size[0] for line in screen_text(pilot).splitlines())
        await pilot.press("end")
        await settle(pilot)
        if size[1] > 6:
            assert "[" in screen_text(pilot), "the cell under the cursor is in sight"


async def test_an_idle_list_starts_a_killed_keeper_again(
    app: WorkbenchApp, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.node", lambda: platform.uname().node)  # a real scheduler is on this machine
    waiting_sweep(store, (64,))
    store.sweeps.pause(1, False)
    async with app.run_test(size=(80, 24)) as pilot:
        with kept_by_another(store):
            await settle(pilot)
            await until(pilot, lambda: app.version is not None)
            assert store.run(1).status == "queued", "it is kept, as far as can be seen"
        await until(pilot, lambda: store.run(1).status == "failed")


async def test_trials_to_come_are_looked_after_though_no_run_is_there(
    app: WorkbenchApp, store: Store
) -> None:
    worlds.search(store)
    store.sweeps.pause(1, False)
    with kept_by_another(store):
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await until(pilot, lambda: app.version is not None)
            await asyncio.to_thread(app._check_liveness)
            assert app._any_active, "else nobody would see that the scheduler is gone"
