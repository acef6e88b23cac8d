"""Which recipe of a sweep is best and which are behind, on made-up scores."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.analysis.made_up import MadeUp, Text
from workbench.analysis.sweep_table import SweepTable, sweep_table
from workbench.recipe import PRESETS

RECIPE = PRESETS["starter"].with_changes(split_seed=42)
TEXT = Text([2] * 40)
DRAW = np.random.default_rng(3)
LOSSES = DRAW.normal(3.0, 0.3, 40)


@pytest.fixture
def made(tmp_path: Path) -> MadeUp:
    return MadeUp(tmp_path)


def table(made: MadeUp) -> SweepTable:
    return sweep_table(made.store, sorted(made.store.runs(), key=lambda run: run.id))


def masks(share: float, seed: int = 42):  # type: ignore[no-untyped-def]
    return RECIPE.with_changes(mask_prob=share, seed=seed)


def test_a_shorter_text_cannot_make_a_recipe_the_best(made: MadeUp) -> None:
    """The test becomes harder and harder: who is asked the easy beginning alone has the lowest figure."""
    harder = LOSSES + np.linspace(-1, 1, 40)
    made.run(TEXT, harder, recipe=masks(0.1), noise=0.02)
    made.run(TEXT, harder + 0.1, recipe=masks(0.2), noise=0.02, draw=1)
    made.run(TEXT.beginning(20), harder[:20] + 0.2, recipe=masks(0.3), noise=0.02, draw=2)
    found = table(made)
    own = made.store.yardsticks.of_run(3)[-1].perplexity
    assert own < min(made.store.yardsticks.of_run(run)[-1].perplexity for run in (1, 2))
    assert [entry.mark for entry in found.entries] == ["best", "behind", "behind"]
    perplexities = [entry.perplexity or 0 for entry in found.entries]
    assert perplexities == sorted(perplexities)


def test_another_text_is_not_ranked_however_good(made: MadeUp) -> None:
    made.run(TEXT, LOSSES, recipe=masks(0.1), noise=0.02)
    made.run(TEXT, LOSSES + 0.2, recipe=masks(0.2), noise=0.02, draw=1)
    made.run(Text([2] * 40, range(501, 541)), LOSSES - 1, recipe=masks(0.3))
    found = table(made)
    assert [entry.mark for entry in found.entries] == ["best", "behind", ""]
    assert [entry.mark for entry in found.ranked()] == ["best", "behind", ""]
    assert any("1 of 3 recipes were scored on other questions" in note for note in found.notes)


def test_nobody_is_behind_with_a_better_figure(made: MadeUp) -> None:
    """Documents of very different length, whose gain depends on it."""
    draw = np.random.default_rng(1)
    text = Text([int(length) for length in np.maximum(1, np.round(draw.lognormal(1, 1.2, 40)))])
    tilt = np.log(np.array(text.lengths))
    for cell in range(12):
        losses = LOSSES + draw.normal(0, 0.03) * (tilt - tilt.mean()) + draw.normal(0, 0.03, 40)
        made.run(text, losses, recipe=masks(0.1 + 0.01 * cell), noise=0.05, draw=cell)
    found = table(made)
    best = found.best
    assert best is not None and best.perplexity is not None
    assert all((entry.perplexity or 0) >= best.perplexity for entry in found.entries)
    for entry in found.entries:
        if entry.mark == "behind":
            assert entry.log_ratio and entry.log_ratio > 0 and (entry.p_value or 1) < 0.05


def test_equal_recipe_and_seed_is_one_run_and_no_second_seed(made: MadeUp) -> None:
    for draw in range(3):
        made.run(TEXT, LOSSES, recipe=masks(0.1), noise=0.02, draw=draw)
    made.run(TEXT, LOSSES + 0.2, recipe=masks(0.2), noise=0.02, draw=9)
    found = table(made)
    assert [(entry.n, entry.spread) for entry in found.entries] == [(1, None), (1, None)]
    assert any("one recipe and one seed" in note for note in found.notes)


def test_what_one_recipe_saw_in_training_counts_for_none(made: MadeUp) -> None:
    seen = np.arange(40) < 20
    made.run(TEXT, LOSSES, recipe=masks(0.1), noise=0.02)
    made.run(TEXT, LOSSES - 0.5 * seen, recipe=masks(0.2), noise=0.02, draw=1, trained_on=range(1, 21))
    found = table(made)
    assert max(entry.log_ratio or 0 for entry in found.entries) < 0.03  # not 0.25


def test_the_best_figure_is_said_to_be_too_low_for_having_been_chosen(made: MadeUp) -> None:
    draw = np.random.default_rng(5)
    for cell in range(10):
        losses = LOSSES + draw.normal(0, 0.1, 40)
        made.run(TEXT, losses, recipe=masks(0.1 + 0.01 * cell), noise=0.02, draw=cell)
    found = table(made)
    best = found.best
    assert best is not None and best.optimism is not None and best.perplexity is not None
    logs = [math.log(entry.perplexity or 1) for entry in found.entries]
    # equal recipes: what the best one gained is chance, and most of it is taken back
    gained = sum(logs) / len(logs) - math.log(best.perplexity)
    assert 0.5 * gained < best.optimism <= gained
    assert any("chosen among 10" in note for note in found.notes)


def test_a_recipe_that_is_better_by_far_is_not_taken_back(made: MadeUp) -> None:
    for cell in range(6):
        losses = LOSSES + 0.3 * cell
        made.run(TEXT, losses, recipe=masks(0.1 + 0.01 * cell), noise=0.02, draw=cell)
    found = table(made)
    assert found.best is not None and found.best.optimism == 0
    assert [entry.mark for entry in found.entries] == ["best", *["behind"] * 5]


def test_with_fewer_than_ten_documents_nothing_is_ranked(made: MadeUp) -> None:
    few = Text([30] * 9)
    for cell in range(3):
        made.run(few, 3.0 + cell, recipe=masks(0.1 + 0.1 * cell), noise=0.02, draw=cell)
    found = table(made)
    assert found.best is None and any("10 documents are needed" in note for note in found.notes)


def test_seeds_that_differ_as_much_leave_a_recipe_alike(made: MadeUp) -> None:
    for share, shift in ((0.1, 0.0), (0.2, 0.05)):
        for seed, own in enumerate((-0.05, 0.0, 0.06)):
            recipe = masks(share, seed)
            made.run(TEXT, LOSSES + shift + own, recipe=recipe, noise=0.01, draw=seed)
    found = table(made)
    assert [(entry.n, entry.mark) for entry in found.entries] == [(3, "best"), (3, "alike")]
