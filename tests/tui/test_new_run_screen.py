"""The form: what is in it, how it validates, what it says it costs, and each of its keys."""

from __future__ import annotations

import pytest
from textual.events import Key
from textual.widgets import Input, Static

from workbench.recipe import GROUPS, PRESETS, Recipe
from workbench.recipe_fields import as_text
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.new_run.choice import Choice
from workbench.tui.new_run.field import RecipeField
from workbench.tui.new_run.field_group import FieldGroup
from workbench.tui.new_run.screen import FIRST, NewRunScreen, group_fields
from workbench.tui.runs.screen import RunsScreen
from workbench.tui.widgets.help import Help

from .support import screen_text, settle, type_text


def form(app: WorkbenchApp) -> NewRunScreen:
    assert isinstance(app.screen, NewRunScreen)
    return app.screen


def test_every_field_of_a_recipe_has_its_place() -> None:
    placed = [*FIRST, *(name for group in GROUPS for name in group_fields(group))]
    assert sorted(placed) == sorted(Recipe.model_fields)


@pytest.mark.parametrize("value", [None, 128, 0.15, 1.23e-5, 1e-8, 0.1 + 0.2, "starter", 2_000, 0.2])
def test_a_value_reads_back_as_it_was_shown(value: object) -> None:
    shown = as_text(value)
    if isinstance(value, float):
        assert float(shown) == value
    else:
        assert shown == ("" if value is None else str(value))


async def test_the_three_first_and_the_rest_folded_away(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        fields = [field.field_name for field in form(app).query(RecipeField)]
        assert fields == ["chunk_size", "mask_prob", "epochs"]
        text = screen_text(pilot)
        for group in GROUPS:
            assert f"▸ {group.capitalize()}" in text
        assert "batch size 16, learning rate 0.001" in text
        assert form(app).query_one("#field-chunk_size Input").has_focus


async def test_mistakes_are_shown_at_the_field_as_one_types(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        await pilot.press("backspace", "backspace")
        await pilot.pause()
        lines = screen_text(pilot).splitlines()
        at = next(i for i, line in enumerate(lines) if "Chunk size" in line)
        assert "✗ must be at least 8; got 1" in lines[at + 1]
        assert "Cost: shown when all fields are valid" in "\n".join(lines)
        await pilot.press("6")
        await pilot.pause()
        assert "✗" not in screen_text(pilot)
        await pilot.press("tab", "end", *["backspace"] * 4, *"1.5")
        await pilot.pause()
        assert "must be below 1" in screen_text(pilot)


async def test_a_check_across_fields_is_shown_too(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        await form(app).query_one("#group-masking", FieldGroup).open(form(app)._values)
        form(app).query_one("#field-mask_share Input", Input).value = "0.5"
        await pilot.pause()
        assert "they add up to 0.7" in screen_text(pilot)


async def test_starting_with_a_mistake_goes_to_it_and_starts_nothing(app: WorkbenchApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        form(app)._values["weight_decay"] = "7"  # in a group that is still folded
        await pilot.press("ctrl+s")
        await settle(pilot)
        focused = app.screen.focused
        assert focused and focused in form(app).query_one("#field-weight_decay", RecipeField).query(Input)
        assert "must be at most 1; got 7" in screen_text(pilot)
        assert store.runs() == []


async def test_presets_are_one_key_away(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        assert form(app)._recipe == PRESETS["starter"]
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert form(app)._recipe == PRESETS["xsum"]
        assert "● xsum" in screen_text(pilot) and "EdinburghNLP/xsum" in screen_text(pilot)
        form(app).query_one("#preset", Choice).focus()
        await pilot.press("right")
        await pilot.pause()
        assert form(app)._recipe == PRESETS["starter"]


async def test_groups_open_with_enter_and_all_with_one_key(app: WorkbenchApp) -> None:
    async with app.run_test(size=(120, 80)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        await pilot.press(*["tab"] * 5, "enter")
        await settle(pilot)
        assert "Batch size" in screen_text(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "Batch size" not in screen_text(pilot)
        await pilot.press("ctrl+o")
        await settle(pilot)
        assert len(form(app).query(RecipeField)) == len(Recipe.model_fields)
        assert "Early stopping patience" in screen_text(pilot)
        await pilot.press("ctrl+o")
        await settle(pilot)
        assert "Batch size" not in screen_text(pilot)


async def test_moving_through_the_fields(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        for key, field in (
            ("down", "mask_prob"),
            ("enter", "epochs"),
            ("k", "mask_prob"),
            ("up", "chunk_size"),
        ):
            await pilot.press(key)
            assert form(app).query_one(f"#field-{field} Input").has_focus, key
        await pilot.press("j")
        assert form(app).query_one("#field-mask_prob Input").has_focus
        assert "Share of the tokens that the model must predict." in screen_text(pilot)


async def test_help_and_back(app: WorkbenchApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        for key in ("question_mark", "f1"):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.screen, Help)
            await pilot.press("escape")
            await pilot.pause()
        assert form(app).query_one("#field-chunk_size Input", Input).value == "128", "? was not typed"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen) and store.runs() == []


async def test_the_estimate_of_another_text_is_unknown(app: WorkbenchApp, history: Store) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        for field, value in (("min_words", "500"), ("duplicates", "drop"), ("split_seed", "7")):
            before = form(app)._values[field]
            form(app)._set_value(field, value)
            await settle(pilot)
            cost = str(form(app).query_one("#cost", Static).content)
            assert "Steps: unknown" in cost and "earlier runs here made 20.1k tokens/s" in cost, field
            form(app)._set_value(field, as_text(before))
            await settle(pilot)
            assert "2,360 chunks" in str(form(app).query_one("#cost", Static).content)


async def test_the_cost_comes_from_earlier_runs_or_is_said_to_be_unknown(
    app: WorkbenchApp, history: Store
) -> None:
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        cost = str(form(app).query_one("#cost", Static).content)
        assert "444 steps (148 per epoch) over 2,360 chunks" in cost
        assert "Training about 45s at 20.1k tokens/s" in cost
        await pilot.press("tab", "tab", "end", "backspace", "6")
        await pilot.pause()
        assert "888 steps" in str(form(app).query_one("#cost", Static).content)
        await pilot.press("ctrl+t")
        await pilot.pause()
        cost = str(form(app).query_one("#cost", Static).content)
        assert cost.count("unknown") == 2


async def test_a_choice_moves_with_arrows_and_the_mouse(app: WorkbenchApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        await form(app).query_one("#group-masking", FieldGroup).open(form(app)._values)
        await pilot.pause()
        choice = form(app).query_one("#field-masking Choice", Choice)
        choice.focus()
        await pilot.press("right")
        await pilot.pause()
        assert form(app)._recipe and form(app)._recipe.masking == "whole_word"
        await pilot.press("left", "left")
        await pilot.pause()
        assert form(app)._recipe and form(app)._recipe.masking == "span"
        await pilot.click(choice, offset=(1, 0))
        await pilot.pause()
        assert form(app)._recipe and form(app)._recipe.masking == "token"


async def test_text_is_typed_into_a_text_field_as_it_is(app: WorkbenchApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("n")
        await settle(pilot)
        name = form(app).query_one("#name", Input)
        name.focus()
        await type_text(pilot, "jk? [red]")
        assert name.value == "jk? [red]"


async def test_keys_typed_before_the_form_is_there_are_not_lost(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in "n64":  # all at once, as from a terminal that was behind
            app.post_message(Key(key, key))
        await settle(pilot)
        assert form(app).query_one("#field-chunk_size Input", Input).value == "12864"
