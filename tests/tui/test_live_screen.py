"""The live view: curves, figures, progress, log, and each of its keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.widgets import Static

from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.confirm import Confirm
from workbench.tui.screens.console import ConsoleScreen
from workbench.tui.screens.help import Help
from workbench.tui.screens.live import LiveScreen
from workbench.tui.screens.runs import RunsScreen
from workbench.tui.widgets.chart import Chart
from workbench.tui.widgets.log_tail import LogTail

from .support import add_points, screen_text, settle, toasts, until


async def test_what_it_shows_of_a_running_run(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.open_live(6)
        await settle(pilot)
        text = screen_text(pilot)
        assert "▶ 6 starter-now  running, training" in text
        assert "chunk 128 · mask 0.15 · starter · python-docs" in text
        assert "test 75.1  best 75.1  train 61.0  before training 3,512 (÷47)" in text
        assert (
            re.search(r"loss 3\.\d{3}  ", text)
            and "20.1k tokens/s" in text
            and "lr 0.001" in text
            and "cpu bf16" in text
        )
        assert "perplexity, log" in text and "⠒● test 75.1" in text and "╌╌ baseline 3,512" in text
        assert "epoch 2/3" in text and "62/148 steps" in text
        assert "overall" in text and "210/444 steps" in text and "ETA" in text


async def test_new_points_are_drawn_from_the_cursor_on(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.open_live(6)
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        before, cursor = len(screen._measured.points("train/loss")), screen._measured.cursor
        add_points(history, 6, "train/loss", [(211, 3.7)])
        await until(pilot, lambda: len(screen._measured.points("train/loss")) == before + 1, 10)
        assert screen._measured.cursor > cursor


async def test_after_a_resume_superseded_points_are_gone(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.open_live(6)
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        history.supersede_after(6, 148)
        history.update_run(6, segment=history.run(6).segment + 1)
        await until(pilot, lambda: len(screen._measured.points("train/loss")) == 148, 10)


async def test_y_switches_the_axis_and_s_smooths(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.open_live(6)
        await settle(pilot)
        rough = app.screen.query_one(Chart)._series[0].points
        await pilot.press("y")
        await pilot.pause()
        assert "perplexity, linear" in screen_text(pilot)
        await pilot.press("y", "s")
        await settle(pilot)
        assert "perplexity, log" in screen_text(pilot)
        smoothed = app.screen.query_one(Chart)._series[0].points
        assert len(smoothed) == len(rough) and smoothed != rough
        await pilot.press("s")
        await settle(pilot)
        assert app.screen.query_one(Chart)._series[0].points == rough


async def test_the_log_is_followed_and_cannot_write_on_the_screen(app: WorkbenchApp, history: Store) -> None:
    log = Path(history.run(6).folder or "") / "worker.log"
    log.write_text(
        "first line\n\x1b[2Jescape [red]markup[/red]\r\nprogress 1\rprogress 2\n", encoding="utf-8"
    )
    async with app.run_test(size=(100, 40)) as pilot:
        app.open_live(6)
        await settle(pilot)
        text = screen_text(pilot)
        assert "first line" in text and "[red]markup[/red]" in text and "\x1b" not in text
        assert "progress 2" in text and "progress 1" not in text
        with log.open("a", encoding="utf-8") as file:
            file.write("half a line")
            file.flush()
            app.screen.query_one(LogTail).read_more()
            await pilot.pause()
            assert "half a line" not in screen_text(pilot)
            file.write(" made whole\n")
        app.screen.query_one(LogTail).read_more()
        await pilot.pause()
        assert "half a line made whole" in screen_text(pilot)
        height = app.screen.query_one(LogTail).size.height
        await pilot.press("l")
        await pilot.pause()
        assert app.screen.query_one(LogTail).size.height > height
        await pilot.press("l", "j", "k", "up", "down")


async def test_what_went_wrong_is_told_with_what_to_do(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(5)
        await settle(pilot)
        text = " ".join(screen_text(pilot).split())
        assert "✗ No network" in text and "`starter` works offline" in text and "r resumes it" in text
        assert "It ended before anything was measured" in text


async def test_a_queued_run_says_what_it_waits_for(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(2)
        await settle(pilot)
        assert "Waiting for its worker" in screen_text(pilot)


@pytest.mark.parametrize(("key", "screen"), [("question_mark", Help), ("f1", Help), ("c", ConsoleScreen)])
async def test_keys_that_open_another_screen(
    app: WorkbenchApp, history: Store, key: str, screen: type
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(6)
        await settle(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, screen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, LiveScreen)


@pytest.mark.parametrize("key", ["escape", "h", "left"])
async def test_back_to_the_list(app: WorkbenchApp, history: Store, key: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(6)
        await settle(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)


async def test_stop_and_quit(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(6)
        await settle(pilot)
        await pilot.press("x")
        await settle(pilot)
        assert history.stop_requested(6)
        assert "r resumes" in toasts(app)[0]
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running


async def test_deleting_goes_back_to_the_list(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(1)
        await settle(pilot)
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await settle(pilot)
        assert isinstance(app.screen, RunsScreen)
        assert 1 not in [run.id for run in history.runs()]


async def test_a_screen_that_has_nothing_new_draws_nothing(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(1)
        await settle(pilot)
        await pilot.pause(0.5)
        drawn: list[object] = []
        for widget in app.screen.query("Chart, Static, ProgressLine, LogTail, TitleBar"):
            original = widget.refresh
            widget.refresh = lambda *a, _o=original, _w=widget, **k: (drawn.append(_w), _o(*a, **k))[1]  # type: ignore[method-assign]
        app.screen.reload()  # type: ignore[attr-defined]
        await settle(pilot)
        assert drawn == []


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (200, 60)])
async def test_any_size(app: WorkbenchApp, history: Store, size: tuple[int, int]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(6)
        await settle(pilot)
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert all(len(line) <= size[0] for line in screen_text(pilot).splitlines())
        assert app.screen.query_one("#figures", Static)
