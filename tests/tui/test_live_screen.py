"""The live view: curves, figures, progress, log, and each of its keys."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from textual.widgets import Static

from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.console.screen import ConsoleScreen
from workbench.tui.live.log_tail import LogTail
from workbench.tui.live.panels import Panels
from workbench.tui.live.screen import LiveScreen
from workbench.tui.runs.screen import RunsScreen
from workbench.tui.widgets.chart import Chart
from workbench.tui.widgets.confirm import Confirm
from workbench.tui.widgets.help import Help

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
        await pilot.press("S")
        await settle(pilot)
        assert app.screen.query_one(Chart)._series[0].points == rough
        await pilot.press("s", "s", "s", "s")  # once around
        await settle(pilot)
        assert app.screen.query_one(Chart)._series[0].points == rough


async def test_z_shows_the_last_part(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.open_live(6)
        await settle(pilot)
        for key, first, names in (
            ("z", 105, ["train", "test"]),
            ("plus", 168, ["train", "test"]),
            ("Z", 105, ["train", "test"]),
            ("minus", 1, ["train", "test", "baseline"]),
        ):
            await pilot.press(key)
            await settle(pilot)
            series = app.screen.query_one(Chart)._series
            assert series[0].points[0][0] == first, key
            assert [one.name for one in series] == names
        assert "The whole run." in toasts(app)


async def test_panels_of_figures_and_phases(app: WorkbenchApp, history: Store) -> None:
    for step in range(1, 30):
        add_points(history, 6, "system/cpu", [(step, 95.0 if step == 13 else 12.0)])
    add_points(history, 6, "system/gpu_temperature", [(210, 61.0)])
    add_points(history, 6, "time/loading data", [(0, 3.0)])
    add_points(history, 6, "time/training", [(148, 61.0)])
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(6)
        await settle(pilot)
        panels, log = app.screen.query_one(Panels), app.screen.query_one(LogTail)
        assert not panels.display and log.display
        await pilot.press("p")
        await settle(pilot)
        text = screen_text(pilot)
        assert panels.display and not log.display
        cpu = next(line for line in text.splitlines() if "CPU" in line)
        assert "12 %" in cpu and "█" in cpu and "61 °C" in text
        assert "Phases: loading data 3s · training " in text
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        assert panels.display and log.display
        await pilot.press("p")
        await settle(pilot)
        assert not panels.display and log.display


async def test_a_tall_terminal_has_the_panels_at_once(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        app.open_live(6)
        await settle(pilot)
        assert app.screen.query_one(Panels).display
        assert "grad norm" in screen_text(pilot)
        add_points(history, 6, "system/ram", [(211, 47.0)])
        await until(pilot, lambda: "47 %" in screen_text(pilot), 10)


async def test_the_log_is_searched(app: WorkbenchApp, history: Store) -> None:
    lines = [f"line {i}{' with Needle' if i in (3, 40, 80) else ''}" for i in range(100)]
    log = Path(history.run(6).folder) / "worker.log"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(6)
        await settle(pilot)
        await pilot.press("slash", *"needle", "enter")
        await settle(pilot)
        text = screen_text(pilot)
        assert "line 80 with Needle" in text and "line 3 of 3" in text
        await pilot.press("n")
        await settle(pilot)
        assert "line 40 with Needle" in screen_text(pilot) and "line 2 of 3" in screen_text(pilot)
        await pilot.press("N")
        await settle(pilot)
        assert "line 80 with Needle" in screen_text(pilot)
        await pilot.press("slash", *"NEEDLE", "enter")
        await settle(pilot)
        assert "no match" in screen_text(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, LiveScreen) and "no match" not in screen_text(pilot)
        await pilot.press("slash", "x", "escape", "g")
        await settle(pilot)
        assert re.search(r"^ ?line 0 *$", screen_text(pilot), re.MULTILINE)
        await pilot.press("G")
        await settle(pilot)
        assert "line 99" in screen_text(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)


async def test_a_key_in_the_first_instant_counts(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(6)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConsoleScreen), 10)


async def test_a_run_without_a_checkpoint_has_no_fill_key_and_says_so(
    app: WorkbenchApp, history: Store
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(2)
        await pilot.press("c")
        await settle(pilot)
        assert isinstance(app.screen, LiveScreen)
        assert toasts(app) in (["This run has no checkpoint yet."], [])
        assert "Fill" not in screen_text(pilot).splitlines()[-1]


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
        assert "ended before any measurement" in text


async def test_a_queued_run_says_what_it_waits_for(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_live(2)
        await settle(pilot)
        assert "Waiting for the worker" in screen_text(pilot)


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
        assert history.run(6).stop_requested_at
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
        drawn: list[object] = []
        for widget in app.screen.query("Chart, Panels, Static, ProgressLine, LogTail, TitleBar"):
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


async def test_a_run_that_stands_still_is_said_to_stall(app: WorkbenchApp, history: Store) -> None:
    worker = history.run(6).worker_pid
    assert worker is not None
    os.kill(worker, signal.SIGSTOP)
    async with app.run_test(size=(90, 24)) as pilot:
        await until(pilot, lambda: "‖" in screen_text(pilot))
        await settle(pilot)
        assert "‖ running, training, stalled: suspended; `kill -CONT" in screen_text(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "‖ 6 starter-now  running, training, stalled: suspended" in screen_text(pilot).splitlines()[0]
        os.kill(worker, signal.SIGCONT)
        await until(pilot, lambda: "▶ 6 starter-now  running, training" in screen_text(pilot).splitlines()[0])


async def test_a_long_run_is_sketched_before_all_of_it_is_read(
    app: WorkbenchApp, history: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.display import measurements
    from workbench.tui.live import screen

    monkeypatch.setattr(screen, "LONG", 100)
    monkeypatch.setattr(measurements, "SKETCHED", 20)
    shown: list[tuple[bool | None, int]] = []
    show = LiveScreen.show

    def remember(screen: LiveScreen, data: screen.Look) -> None:
        show(screen, data)
        shown.append((data.past and data.past.is_sketch, len(screen._measured.points("train/loss"))))

    monkeypatch.setattr(LiveScreen, "show", remember)
    async with app.run_test(size=(100, 30)) as pilot:
        app.open_live(6)
        await settle(pilot)
        assert shown[0][0] is True and 0 < shown[0][1] < 60
        assert shown[1] == (False, 210)
        assert "● test 75.1" in screen_text(pilot)
