"""The list of runs: what it shows, and each of its keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Footer, Static
from textual.widgets._footer import FooterKey

from workbench.store import Store
from workbench.tui.actions import keys_of
from workbench.tui.app import WorkbenchApp
from workbench.tui.console.screen import ConsoleScreen
from workbench.tui.live.screen import LiveScreen
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.runs.screen import RunsScreen
from workbench.tui.runs.table import RunTable
from workbench.tui.widgets.confirm import Confirm
from workbench.tui.widgets.help import Help

from .support import screen_text, settle, toasts, type_text, until


def footer(app: WorkbenchApp) -> list[str]:
    """The descriptions in the footer."""
    return [key.description for key in app.screen.query_one(Footer).query(FooterKey) if key.display]


async def test_an_empty_store_says_what_to_press(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = screen_text(pilot)
        assert "No runs yet" in text and "Press  n" in text
        assert footer(app) == ["New", "Fill", "Help", "Quit"]
        # nothing to act on: no harm
        await pilot.press(
            *"xrdjkgGsSMetNyzhlu", "enter", "space", "asterisk", "equals_sign", "slash", "escape"
        )
        assert isinstance(app.screen, RunsScreen)


async def test_every_run_is_listed_newest_first_with_its_figures(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(150, 30)) as pilot:
        await settle(pilot)
        await pilot.press("p")
        await settle(pilot)
        lines = screen_text(pilot).splitlines()
        titles = "id▼ name status model data chunk mask epoch curve test best yard time tags"
        assert " ".join(lines[1].split()) == titles
        assert [line.split()[1] for line in lines[2:8]] == ["6", "5", "4", "3", "2", "1"]
        first = " ".join(lines[7].split())
        assert first == "✓ 1 first finished starter python-docs 128 0.15 2 █▁ 45.2 44.9 — 1m 40s"
        assert [line.split()[0] for line in lines[2:8]] == ["▶", "✗", "!", "■", "○", "✓"]
        assert "1 running · 1 queued · 6 runs · experiments.db" in lines[0]


async def test_names_cannot_write_markup_or_escapes(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(150, 30)) as pilot:
        await settle(pilot)
        await pilot.press("p")
        await settle(pilot)
        text = screen_text(pilot)
        assert "[red]odd[/red]" in text
        assert "\x1b" not in text and "\u202e" not in text


async def test_moving_with_arrows_and_vi_keys(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        table = app.screen.query_one(RunTable)
        seen = []
        for key in ("j", "down", "k", "up", "up", "G", "j", "g", "end", "home", "pagedown", "pageup"):
            await pilot.press(key)
            seen.append(table.current)
        assert seen == [5, 4, 5, 6, 6, 1, 1, 6, 1, 6, 1, 6]
        await pilot.press("j")
        await pilot.pause()
        assert "No network" in screen_text(pilot), "what went wrong is told for the run under the cursor"


async def test_the_cursor_stays_on_its_run_when_another_comes(app: WorkbenchApp, history: Store) -> None:
    from workbench.recipe import PRESETS

    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j")
        table = app.screen.query_one(RunTable)
        assert table.current == 5
        history.create_run(PRESETS["starter"], name="newest")
        await until(pilot, lambda: "newest" in screen_text(pilot), 10)
        assert table.current == 5
        table.select(7)
        assert table.current == 7
        table.select(8)
        assert table.current == 7, "it is not there yet"
        history.create_run(PRESETS["starter"], name="wanted")
        await until(pilot, lambda: table.current == 8, 10)


async def test_enter_watches_and_escape_comes_back(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("G", "enter")
        await settle(pilot)
        assert isinstance(app.screen, LiveScreen) and app.screen.run_id == 1
        await pilot.press("escape")
        assert isinstance(app.screen, RunsScreen)
        assert app.screen.query_one(RunTable).current == 1


async def test_clicking_chooses_and_clicking_again_opens(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.click(RunTable, offset=(10, 3))
        assert app.screen.query_one(RunTable).current == 3
        await pilot.click(RunTable, offset=(10, 3))
        await settle(pilot)
        assert isinstance(app.screen, LiveScreen) and app.screen.run_id == 3


@pytest.mark.parametrize(
    ("key", "screen"), [("n", NewRunScreen), ("question_mark", Help), ("f1", Help), ("c", ConsoleScreen)]
)
async def test_keys_that_open_another_screen(
    app: WorkbenchApp, history: Store, key: str, screen: type
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, screen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)


async def test_the_footer_offers_what_can_be_done_to_the_run(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        assert "Stop" in footer(app) and "Resume" not in footer(app)
        await pilot.press("j")
        await settle(pilot)
        assert "Resume" in footer(app) and "Del" in footer(app) and "Stop" not in footer(app)


async def test_stop_is_asked_for_at_once_and_said(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("x")
        await settle(pilot)
        assert history.run(6).stop_requested_at
        assert "after saving a checkpoint" in toasts(app)[0]


async def test_delete_asks_and_only_y_deletes(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("G", "d")
        for refusal in ("n", "escape", "enter", "q"):
            await pilot.pause()
            assert isinstance(app.screen, Confirm)
            assert "Delete run 1 “first”?" in screen_text(pilot)
            await pilot.press(refusal)
            await settle(pilot)
            assert isinstance(app.screen, RunsScreen)
            await pilot.press("d")
        await pilot.pause()
        assert 1 in [run.id for run in history.runs()]
        await pilot.press("y")
        await settle(pilot)
        assert 1 not in [run.id for run in history.runs()]
        await until(pilot, lambda: "5 runs" in screen_text(pilot), 10)
        assert Path(history.run(1).folder).exists(), "until one leaves it can be undone"
        assert "Undo" in footer(app)
        await pilot.press("u")
        await until(pilot, lambda: "6 runs" in screen_text(pilot), 10)
        assert 1 in [run.id for run in history.runs()] and "Undo" not in footer(app)
        await pilot.press("G", "d", "y")
        await until(pilot, lambda: "5 runs" in screen_text(pilot), 10)
        folder = Path(history.run(1).folder)
        await pilot.press("q")
        await pilot.pause()
    assert not folder.exists() and history.catalog.deleted() == []


async def test_a_running_run_cannot_be_deleted(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)
        assert toasts(app) == ["“starter-now” is running: stop with x before deleting."]


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_says_which_runs_go_on(
    app: WorkbenchApp, history: Store, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await pilot.pause()
    said = " ".join(capsys.readouterr().err.split())
    assert "2 “waiting”, 6 “starter-now” continue in the background" in said


async def test_the_palette_has_every_action_of_the_screen(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert {key.what for key in keys_of(app.screen) if key.title} - set(titles) == {
            "Continue a stopped run from its last checkpoint",
            "Bring back the runs deleted last",
            "Cancel jobs of a cluster at once (asks)",
            "Put running jobs of a cluster back into the queue",
            "The script of the run's job",
        }, "all but what cannot be done to this run"
        assert len(titles) == len(set(titles))
        await pilot.press("ctrl+p")
        await settle(pilot)
        await type_text(pilot, "new run")
        await settle(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen), 10)


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (80, 24), (200, 60)])
async def test_any_size_and_a_resize_at_any_moment(
    app: WorkbenchApp, history: Store, size: tuple[int, int]
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert all(len(line) <= size[0] for line in screen_text(pilot).splitlines())
        await pilot.press("j", "k")


async def test_ten_thousand_runs_draw_only_what_is_in_sight(
    app: WorkbenchApp, crowd: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from workbench.store.run_lines import RunLines
    from workbench.tui.runs.layout import widths
    from workbench.tui.runs.table import NO_CONTEXT

    one = RunLines(crowd.database).refresh()[0]
    lines = [replace(one, id=i, name=f"run {i}") for i in range(10_000, 0, -1)]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(RunsScreen, "_arrange", lambda screen: None)  # no runs of the store in between
        table = app.screen.query_one(RunTable)
        table.set_lines(lines, NO_CONTEXT, widths(lines))
        await pilot.press("end")
        await pilot.pause()
        assert table.current == 1
        made: list[int] = []
        original = table._content
        table._content = lambda at: (made.append(at), original(at))[1]  # type: ignore[method-assign]
        drawn: list[object] = []
        table.refresh = lambda *regions, **_: (drawn.extend(regions), table)[1]  # type: ignore[method-assign]
        changed = [*lines[:-3], replace(lines[-3], status="failed"), *lines[-2:]]
        table.set_lines(changed, NO_CONTEXT, widths(changed))
        assert len(drawn) == 1, "one changed run is one line drawn again"
        assert made and min(made) >= 9_970, "what is out of sight is not even made into text"


async def test_of_many_runs_the_newest_are_shown_before_the_rest_is_read(
    app: WorkbenchApp, crowd: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.tui.runs import reader

    monkeypatch.setattr(reader, "FIRST", 20)
    titles: list[str] = []
    arrange = RunsScreen._arrange

    def remember(screen: RunsScreen) -> None:
        arrange(screen)
        titles.append(str(screen.query_one("TitleBar", Static).content))

    monkeypatch.setattr(RunsScreen, "_arrange", remember)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "20 runs, loading more" in titles[0]
        assert "60 runs ·" in titles[-1] and "loading more" not in titles[-1]
        await pilot.press("end")
        assert app.screen.query_one(RunTable).current == 1
