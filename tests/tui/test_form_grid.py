"""Lists in the form: a grid of runs, counted, queued and opened."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Input, Static

from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.sweeps.plan import Plan
from workbench.tui.app import WorkbenchApp
from workbench.tui.new_run.choice import Choice
from workbench.tui.new_run.command import command_of
from workbench.tui.new_run.field_group import FieldGroup
from workbench.tui.new_run.grid import grid_lines, read_form
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.sweeps.sweep_screen import SweepScreen

from .support import screen_text, settle, toasts, until

STARTER = PRESETS["starter"]
VALUES = STARTER.model_dump()


def typed(seeds: str = "", **changes: Any) -> Any:
    return read_form({**VALUES, **changes}, seeds)


def test_one_value_in_each_field_is_one_run() -> None:
    assert typed() == typed(chunk_size="128") and typed().plan is None and typed().recipe == STARTER
    assert typed("1").plan is None


def test_lists_make_a_plan_and_the_recipe_has_the_first_of_each() -> None:
    found = typed("3", chunk_size="64, 128,256", mask_prob="0.15,0.3", masking="token,span")
    assert found.recipe == STARTER.with_changes(chunk_size=64)
    assert found.plan.values == {
        "chunk_size": (64, 128, 256),
        "mask_prob": (0.15, 0.3),
        "masking": ("token", "span"),
    }
    assert found.plan.seed_list == (42, 43, 44) and found.plan.count == 36


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("chunk_size", "64,4", "at least 8; got 4"),
        ("chunk_size", "64,,128", "empty value"),
        ("chunk_size", "64,many", "whole number"),
        ("mask_prob", "0.1,1.5", "below 1"),
        ("seed", "1,2", "whole number"),
    ],
)
def test_what_is_wrong_in_a_list_is_said_at_its_field(field: str, text: str, said: str) -> None:
    found = typed(**{field: text})
    assert found.recipe is None and said in found.problems[field]


def test_seeds_that_are_no_number_and_too_many_runs_are_refused() -> None:
    assert "expected a number of seeds or a list" in typed("x").problems["seeds"]
    assert (
        "the limit is 1,000"
        in typed("50", chunk_size=",".join(map(str, range(8, 40)))).problems["chunk_size"]
    )


def test_a_comma_in_a_text_field_is_a_comma() -> None:
    assert typed(dataset="./a,b.txt").recipe.dataset == "./a,b.txt"


class Measured:
    """A run of the starter that was measured here."""

    recipe = VALUES
    host = "here"
    data: dict[str, Any] | None = {"train_tokens": 302_085}  # noqa: RUF012
    tokens_per_second = 20_000.0


def test_the_cost_of_a_grid_is_that_of_its_runs() -> None:
    plan = Plan(STARTER, {"epochs": (1, 2)}, seeds=(42, 43))
    lines = grid_lines(plan, [Measured()], "here", 1)
    assert lines[0] == f"4 runs: 2 recipes x 2 seeds, {2 * (148 + 296):,} steps"
    assert lines[1].startswith("Training about 1m 31s, one after another")  # 6 epochs of 302,080 at 20,000
    assert "2 at once" in grid_lines(plan, [Measured()], "here", 2)[1]
    assert grid_lines(plan, [], "here", 1)[1].startswith("Time: unknown")


def test_the_command_queues_the_same_plan() -> None:
    plan = Plan(STARTER.with_changes(epochs=1, min_words=3), {"chunk_size": (64, 128)}, seeds=(42, 43))
    assert command_of(STARTER, "starter", STARTER, "a b", plan) == (
        "mlm-workbench sweep --preset starter --chunk-size 64,128 --epochs 1 --set min_words=3 --seeds 2 "
        "--name 'a b'"
    )
    assert command_of(STARTER, "starter", STARTER, None, Plan(STARTER, {}, seeds=(1, 7))).endswith(
        "--seeds 1,7"
    )


async def test_a_list_typed_into_the_form_is_counted_queued_and_opened(
    app: WorkbenchApp, history: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Store] = []
    monkeypatch.setattr("workbench.sweeps.queueing.ensure_scheduler", asked.append)
    monkeypatch.setattr("workbench.worker.liveness.ensure_scheduler", asked.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        await pilot.press("end", *["backspace"] * 3, *"64,128")
        await settle(pilot)
        cost = app.screen.query_one("#cost", Static)
        assert str(cost.content).startswith("2 runs: 2 recipes, 1,329 steps\nTraining about 1m 30s")
        await pilot.press("down", "down", "down", "down", "2")
        await settle(pilot)
        assert app.screen.query_one("#seeds", Input).value == "2"
        assert "4 runs: 2 recipes x 2 seeds, 2,658 steps" in screen_text(pilot)
        await pilot.press("ctrl+y", "f3")
        await settle(pilot)
        assert app.clipboard == "mlm-workbench sweep --preset starter --chunk-size 64,128 --seeds 2"
        assert any("a preset has one value" in toast for toast in toasts(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, SweepScreen))
        await settle(pilot)
        assert [run.recipe["chunk_size"] for run in history.sweeps.runs(1)] == [64, 128, 64, 128]
        assert "4 waiting" in screen_text(pilot) and asked


async def test_values_that_do_not_go_together_are_said_and_nothing_is_queued(
    app: WorkbenchApp, store: Store
) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        app.push_screen(NewRunScreen(STARTER.with_changes(schedule="wsd", decay_ratio=0.5)))
        await settle(pilot)
        form = app.screen
        assert isinstance(form, NewRunScreen)
        form._set_value("warmup_ratio", "0.1,0.8")
        await settle(pilot)
        assert "At warmup_ratio 0.8" in screen_text(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert app.screen is form and store.runs() == []
        assert any("At warmup_ratio 0.8" in str(one.title) for one in app._notifications)


async def test_a_seed_that_is_none_is_gone_to(app: WorkbenchApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        app.screen.query_one("#seeds", Input).value = "x"
        await settle(pilot)
        assert "✗ x: expected a number of seeds or a list." in screen_text(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert app.screen.query_one("#seeds").has_focus and store.runs() == []


async def test_several_words_of_a_choice_hold(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        form = app.screen
        assert isinstance(form, NewRunScreen)
        await form.query_one("#group-masking", FieldGroup).open(form._values)
        choice = form.query_one("#field-masking Choice", Choice)
        choice.focus()
        await pilot.press("comma", "right", "right")
        await settle(pilot)
        assert choice.value == "token,span" and "● token  ○ whole_word  ● span" in screen_text(pilot)
        assert form._typed.plan is not None and form._typed.plan.values == {"masking": ("token", "span")}
        await pilot.press("left", "left", "comma")
        await settle(pilot)
        assert choice.value == "token" and form._typed.plan is None
