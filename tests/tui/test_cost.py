from dataclasses import dataclass, field
from typing import Any

import pytest

from workbench.recipe import PRESETS
from workbench.tui.new_run.cost import estimate

STARTER = PRESETS["starter"]


@dataclass
class Past:
    """A stored run as the estimate sees it."""

    id: int = 1
    recipe: dict[str, Any] = field(default_factory=STARTER.model_dump)
    host: str | None = "here"
    data: dict[str, Any] | None = field(default_factory=lambda: {"train_tokens": 302_085})
    tokens_per_second: float | None = 20_000.0


def test_steps_chunks_and_time_follow_from_a_run_over_the_same_text() -> None:
    cost = estimate(STARTER.with_changes(epochs=2), [Past()], "here")
    assert cost.train_chunks == 302_085 // 128 == 2360
    assert cost.steps_per_epoch == 148  # ceil(2360 / 16)
    assert cost.steps == 296
    assert cost.tokens == 2360 * 128 * 2
    assert cost.seconds == pytest.approx(2360 * 128 * 2 / 20_000)
    first, second = cost.lines()
    assert first == "296 steps (148 per epoch) over 2,360 chunks, 604k tokens, 90.6k masked"
    assert second.startswith("Training about 30s at 20.0k tokens/s")


def test_another_chunk_size_is_worked_out_from_the_tokens() -> None:
    assert estimate(STARTER.with_changes(chunk_size=64), [Past()], "here").train_chunks == 4720


def test_what_was_never_measured_is_said_to_be_unknown() -> None:
    nothing = estimate(STARTER, [], "here")
    assert nothing.steps is None and nothing.seconds is None
    assert "unknown" in nothing.lines()[0] and "unknown" in nothing.lines()[1]
    other_text = estimate(STARTER.with_changes(dataset="mine.txt"), [Past()], "here")
    assert other_text.steps is None
    assert "earlier runs here made 20.0k tokens/s" in other_text.lines()[1]


def test_speeds_of_another_machine_or_model_do_not_count() -> None:
    assert estimate(STARTER, [Past(host="elsewhere")], "here").seconds is None
    assert estimate(STARTER.with_changes(model="m/x"), [Past()], "here").tokens_per_second is None


def test_runs_of_the_same_shape_know_best() -> None:
    wide = STARTER.with_changes(chunk_size=256).model_dump()
    past = [Past(recipe=wide, tokens_per_second=90_000.0), Past(tokens_per_second=20_000.0)]
    assert estimate(STARTER, past, "here").tokens_per_second == 20_000


def test_max_steps_ends_it_early_and_accumulation_makes_fewer_steps() -> None:
    assert estimate(STARTER.with_changes(max_steps=10), [Past()], "here").steps == 10
    halved = estimate(STARTER.with_changes(epochs=1, gradient_accumulation=2), [Past()], "here")
    assert halved.steps == 74


def test_too_little_text_is_said_before_the_run() -> None:
    cost = estimate(STARTER, [Past(data={"train_tokens": 100})], "here")
    assert cost.too_short
    assert "fail" in cost.lines()[0]
