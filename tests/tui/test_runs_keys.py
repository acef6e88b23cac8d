"""Each key of the list of runs that is not about one run alone: filter, order, marks, and edits of many."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.store.past import IMPORTED
from workbench.stored_recipe import StoredRecipe
from workbench.tui.app import WorkbenchApp
from workbench.tui.compare.screen import CompareScreen
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.runs.header import RunHeader
from workbench.tui.runs.screen import RunsScreen
from workbench.tui.runs.sort import SortBy
from workbench.tui.runs.table import RunTable
from workbench.tui.widgets.ask_line import AskLine
from workbench.tui.widgets.confirm import Confirm

from .support import screen_text, settle, toasts, type_text, until


def ids(app: WorkbenchApp) -> list[int]:
    """The runs that the list shows, in its order."""
    return [line.id for line in app.screen.query_one(RunTable)._lines]


async def press(pilot: Pilot[None], keys: Sequence[str]) -> None:
    await pilot.press(*keys)
    await settle(pilot)


async def answer(pilot: Pilot[None], text: str) -> None:
    """Put `text` in the place of what the dialog offers, and press Enter."""
    assert isinstance(pilot.app.screen, AskLine)
    await pilot.press("home", "shift+end", "delete")
    await type_text(pilot, text)
    await press(pilot, ["enter"])


async def test_the_filter_works_as_one_types_and_escape_clears_it(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash")
        for text, found in (("s", [6, 5, 3, 2, 1]), ("t", [6, 3, 1]), ("arter-", [6])):
            await type_text(pilot, text)
            await settle(pilot)
            assert set(ids(app)) <= set(found) | {1, 2, 3, 4, 5, 6} and 6 in ids(app)
        assert ids(app) == [6] and "1 of 6" in screen_text(pilot)
        await press(pilot, ["enter"])
        assert app.screen.query_one(RunTable).has_focus and ids(app) == [6], "Enter keeps it"
        await press(pilot, ["escape"])
        assert ids(app) == [6, 5, 4, 3, 2, 1]
        await press(pilot, ["slash", "s", "t", "escape"])
        assert ids(app) == [6, 5, 4, 3, 2, 1], "Escape in the line clears it too"


async def test_a_mistake_in_the_filter_is_said_in_its_line(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash")
        app.screen.query_one(Input).value = "status:fin ppl:<x"
        await settle(pilot)
        assert "✗ ppl: needs a number" in screen_text(pilot) and ids(app) == [1]


async def test_a_filter_that_finds_nothing_says_what_to_press(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash")
        await type_text(pilot, "zzz")
        await settle(pilot)
        assert ids(app) == [] and "No run matches." in screen_text(pilot)
        await press(pilot, ["enter", "escape"])
        assert len(ids(app)) == 6 and app.screen.query_one(RunTable).has_focus


async def test_sorting_by_a_column_and_the_other_way_round(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, ["s"])
        assert isinstance(app.screen, SortBy)
        await press(pilot, ["j", "j", "k", "k", "j", "enter"])
        assert ids(app)[0] == 3, "by name"
        assert isinstance(app.screen, RunsScreen)
        app.screen.sort_by("ppl")
        await settle(pilot)
        assert ids(app) == [1, 6, 3, 5, 4, 2] and "test▲" in screen_text(pilot)
        await press(pilot, ["S"])
        assert ids(app) == [3, 6, 1, 5, 4, 2], "what is not known stays last"
        await press(pilot, ["s", "escape"])
        assert ids(app) == [3, 6, 1, 5, 4, 2]


async def test_a_click_on_a_title_sorts_by_it(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert ids(app)[0] == 6
        await pilot.click(RunHeader, offset=(6, 0))
        await settle(pilot)
        assert ids(app)[0] == 1


async def test_columns_go_away_by_importance_and_can_be_walked_through(
    app: WorkbenchApp, history: Store
) -> None:
    async with app.run_test(size=(60, 24)) as pilot:
        await settle(pilot)

        def titles() -> list[str]:
            return screen_text(pilot).splitlines()[1].replace("‹", " ").replace("›", " ").split()

        assert titles() == ["id▼", "name", "curve", "test", "best"] or {"test", "best"} <= set(titles())
        seen = set(titles())
        await press(pilot, ["h"])
        for _ in range(14):
            await pilot.press("l")
            await pilot.pause()
            assert "id▼" in titles() and "name" in titles(), "what a line is about always stands"
            seen |= set(titles())
        assert {"status", "model", "data", "chunk", "mask", "epoch", "yard", "time", "tags"} <= seen
        await press(pilot, ["left"] * 14)
        assert {"test", "best"} <= set(titles())


async def test_marking_one_all_and_none(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, RunsScreen)
        await press(pilot, ["space", "space"])
        assert "◆ 2 marked" in screen_text(pilot)
        assert [line.id for line in app.screen.chosen] == [6, 5]
        assert app.screen.query_one(RunTable).current == 4, "the cursor goes on"
        await press(pilot, ["k", "space"])
        assert [line.id for line in app.screen.chosen] == [6]
        await press(pilot, ["M"])
        assert len(app.screen.chosen) == 6
        await press(pilot, ["M"])
        assert [line.id for line in app.screen.chosen] == [4], "none is marked: the one under the cursor"
        await press(pilot, ["space", "escape"])
        assert "marked" not in screen_text(pilot)


async def test_stars_tags_and_notes_of_many(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, ["space", "space", "asterisk"])
        assert history.run(6).starred and history.run(5).starred and not history.run(4).starred
        assert screen_text(pilot).count("★") >= 2 and "Starred 2 runs." in toasts(app)
        await press(pilot, ["t"])
        await answer(pilot, "+law")
        assert history.run(6).tags == history.run(5).tags == ["law"]
        await press(pilot, ["t"])
        await answer(pilot, "+a b")
        assert "before all tags" in str([one.title for one in app._notifications])
        await press(pilot, ["N"])
        await answer(pilot, "a note")
        assert history.run(6).note == history.run(5).note == "a note"
        await press(pilot, ["asterisk"])
        assert not history.run(6).starred
        await press(pilot, ["t", "escape"])
        assert history.run(6).tags == ["law"]


@pytest.mark.parametrize("key", ["e", "f2"])
async def test_renaming(app: WorkbenchApp, history: Store, key: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, [key])
        await answer(pilot, "better name")
        assert history.run(6).name == "better name" and "better name" in screen_text(pilot)
        await press(pilot, [key])
        await answer(pilot, "latest")
        assert history.run(6).name == "better name"
        assert "would be taken for an id" in str([one.title for one in app._notifications])


async def test_archived_runs_are_hidden_until_they_are_asked_for(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, ["G", "z"])
        assert ids(app) == [6, 5, 4, 3, 2] and "1 archived" in screen_text(pilot)
        await press(pilot, ["A"])
        assert ids(app) == [6, 5, 4, 3, 2, 1]
        await press(pilot, ["G", "z", "A"])
        assert ids(app) == [6, 5, 4, 3, 2, 1] and not history.run(1).archived
        await press(pilot, ["M", "z"])
        assert "All runs are archived." in screen_text(pilot)


async def test_a_duplicate_of_an_imported_run_says_what_was_not_known(
    app: WorkbenchApp, history: Store
) -> None:
    history.update_run(6, environment={IMPORTED: {"from": "Trainer"}}, recipe=StoredRecipe({"epochs": 7}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, ["g", "y"])
        assert isinstance(app.screen, NewRunScreen)
        assert any("was imported without" in text and "dataset" in text for text in toasts(app))
        assert not any("epochs" in text for text in toasts(app))


async def test_deleting_many_leaves_those_that_go(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, ["M", "d"])
        assert isinstance(app.screen, Confirm)
        text = screen_text(pilot)
        assert "Delete 4 runs?" in text and "2 active runs are kept" in " ".join(text.split())
        await press(pilot, ["y"])
        assert ids(app) == [6, 2] and history.catalog.deleted() == [1, 3, 4, 5]
        await press(pilot, ["u"])
        assert ids(app) == [6, 5, 4, 3, 2, 1]
        await press(pilot, ["escape", "G", "d", "y"])
        history.catalog.purge()  # as another workbench does when it is opened
        await press(pilot, ["u"])
        assert "another workbench" in toasts(app)[-1] and ids(app) == [6, 5, 4, 3, 2]


async def test_what_a_killed_program_deleted_goes_at_the_next_start(
    app: WorkbenchApp, history: Store
) -> None:
    history.catalog.delete([1])
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert history.catalog.deleted() == [] and ids(app) == [6, 5, 4, 3, 2]


async def test_a_copy_goes_into_the_form(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, ["G", "y"])
        assert isinstance(app.screen, NewRunScreen)
        assert app.screen.query_one("#field-epochs Input", Input).value == "2"


async def test_comparing_needs_two_to_eight(app: WorkbenchApp, crowd: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, ["equals_sign"])
        assert isinstance(app.screen, RunsScreen) and "Mark 2 to 8 runs" in toasts(app)[-1]
        await press(pilot, [*["space"] * 9, "equals_sign"])
        assert isinstance(app.screen, RunsScreen)
        await press(pilot, ["escape", "space", "space", "equals_sign"])
        assert isinstance(app.screen, CompareScreen)
        await press(pilot, ["escape"])
        assert isinstance(app.screen, RunsScreen)


async def test_the_panel_shows_curve_and_recipe_where_there_is_room(
    app: WorkbenchApp, history: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, ["G"])
        await until(pilot, lambda: "1 field changed from preset starter" in screen_text(pilot), 10)
        text = screen_text(pilot)
        assert "⠒● test 45.2" in text and "before training" in text
        await press(pilot, ["p"])
        assert "changed from preset" not in screen_text(pilot)
        await press(pilot, ["p"])
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "changed from preset" not in screen_text(pilot)
        await press(pilot, ["p"])
        assert "needs 110 columns" in toasts(app)[-1]


async def test_wide_and_combining_names_keep_the_columns_aligned(app: WorkbenchApp, store: Store) -> None:
    from rich.cells import cell_len

    for name in ("日本語の長い名前のランですよ", "e\u0301te\u0301", "שלום עולם", "plain", "🔬 lab"):
        store.create_run(PRESETS["starter"], name=name)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        lines = [line for line in screen_text(pilot).splitlines() if "0.15" in line]
        assert len(lines) == 5
        assert len({cell_len(line[: line.index("0.15")]) for line in lines}) == 1


async def test_the_palette_sorts_by_any_column(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert "Sort by yardstick perplexity" in titles and "Sort by tags" in titles
