"""Intervals: right on what can be worked out by hand, and honest in made-up worlds with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from bench.coverage import World, tally_groups, tally_pairs
from workbench.analysis.bootstrap import jackknife_error, paired_bootstrap
from workbench.analysis.seeds import (
    compare_by_seed,
    compare_groups,
    students_t_quantile,
    students_t_within,
)


def test_the_estimate_weighs_each_token_alike() -> None:
    tokens = np.array([10, 30] * 10)
    losses_a = tokens * 2.0
    losses_b = losses_a + np.array([5.0, 3.0] * 10)
    found = paired_bootstrap(losses_a, losses_b, tokens, np.arange(20))
    assert found.log_ratio == pytest.approx(80 / 400)
    assert found.low < found.log_ratio < found.high
    assert found.log_ratio - found.low == pytest.approx(found.high - found.log_ratio)
    assert found.p_value < 0.01


def test_turning_the_pair_round_turns_the_sign_round() -> None:
    draw = np.random.default_rng(1)
    tokens = draw.integers(10, 30, 60)
    a, b = draw.normal(3, 1, (2, 60)) * tokens
    one = paired_bootstrap(a, b, tokens, np.arange(60) // 3)
    other = paired_bootstrap(b, a, tokens, np.arange(60) // 3)
    assert other.log_ratio == pytest.approx(-one.log_ratio)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    assert other.p_value == one.p_value


def test_the_same_model_twice_is_no_difference() -> None:
    losses, tokens = np.arange(1.0, 21.0), np.full(20, 19)
    found = paired_bootstrap(losses, losses, tokens, np.arange(20))
    assert (found.log_ratio, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_documents_are_resampled_unless_they_are_too_few() -> None:
    draw = np.random.default_rng(2)
    tokens = np.full(60, 19)
    b = np.repeat(draw.normal(0, 1, 12), 5) * tokens
    by_document = paired_bootstrap(np.zeros(60), b, tokens, np.repeat(np.arange(12), 5))
    by_chunk = paired_bootstrap(np.zeros(60), b, tokens, np.repeat(np.arange(3), 20))
    assert (by_document.by_document, by_document.units) == (True, 12)
    assert (by_chunk.by_document, by_chunk.units) == (False, 60)
    assert by_document.high - by_document.low > 2 * (by_chunk.high - by_chunk.low)


def test_one_seed_gives_one_answer() -> None:
    draw = np.random.default_rng(3)
    arguments = (draw.normal(3, 1, 900) * 19, draw.normal(3, 1, 900) * 19, np.full(900, 19), np.arange(900))
    assert paired_bootstrap(*arguments) == paired_bootstrap(*arguments)
    assert paired_bootstrap(*arguments, seed=1) != paired_bootstrap(*arguments)


def test_the_standard_error_is_that_of_a_mean_where_weights_are_equal() -> None:
    values = np.random.default_rng(4).normal(0, 1, 50)
    assert jackknife_error(values, np.ones(50)) == pytest.approx(values.std(ddof=1) / np.sqrt(50))


@pytest.mark.parametrize("spread", [(0.0, 0.8), (0.05, 0.8)])
def test_intervals_cover_the_truth_and_equal_models_are_seldom_told_apart(
    spread: tuple[float, float],
) -> None:
    tally = tally_pairs(World(80, *spread), trials=400, resamples=400)
    assert 0.925 <= tally.coverage <= 0.975  # 95 % give or take two standard errors of 400 trials
    assert 0.025 <= tally.false_alarms <= 0.075


def test_chunks_taken_for_independent_would_raise_false_alarms() -> None:
    assert tally_pairs(World(80, 0.05), trials=200, resamples=300, by_chunk=True).false_alarms > 0.12


@pytest.mark.parametrize("seed_spread", [0.01, 0.05])
def test_groups_over_seeds_cover_the_truth(seed_spread: float) -> None:
    tally = tally_groups(World(80, 0.05), seeds=3, seed_spread=seed_spread, trials=300)
    assert tally.coverage >= 0.92 and tally.false_alarms <= 0.08


def test_what_only_seeds_do_is_not_taken_for_a_recipe() -> None:
    draw = np.random.default_rng(5)
    tokens, documents = np.full(200, 19), np.arange(200) // 4
    base = draw.normal(3, 0.3, 200) * tokens
    # each run is its own model; two of them differ by far more than the test's documents leave in doubt
    seeds_a, seeds_b = np.array([0.0, 0.1, 0.2]), np.array([0.12, 0.2, 0.28])
    a, b = (base + shift[:, None] * tokens for shift in (seeds_a, seeds_b))
    found = compare_groups(a, b, tokens, documents)
    assert found.log_ratio == pytest.approx(0.1)
    assert found.p_value > 0.05 and found.p_seeds > 0.05 and found.low < 0 < found.high
    assert paired_bootstrap(a[0], b[0], tokens, documents).p_value < 0.001


def test_a_recipe_that_is_better_at_every_seed_is_found() -> None:
    draw = np.random.default_rng(6)
    tokens, documents = np.full(200, 19), np.arange(200) // 4
    a = draw.normal(3, 0.01, (3, 200)) * tokens
    found = compare_groups(a, a - 0.2 * tokens, tokens, documents)
    assert found.log_ratio == pytest.approx(-0.2) and found.high < 0 and found.p_value < 0.001


def test_one_seed_borrows_the_spread_of_the_other_recipe() -> None:
    tokens, documents = np.full(100, 19), np.arange(100)
    several = np.array([[3.0], [3.1], [3.2]]) * tokens
    assert compare_groups(several, several[:1] + 5.0, tokens, documents).p_seeds > 0.05
    with pytest.raises(ValueError, match="two seeds"):
        compare_groups(several[:1], several[1:2], tokens, documents)


def test_seeds_that_split_differently_are_compared_one_by_one() -> None:
    ratios = np.array([-0.10, -0.12, -0.08])
    found = compare_by_seed(ratios)
    error = ratios.std(ddof=1) / np.sqrt(3)
    assert found.log_ratio == pytest.approx(-0.10)
    assert found.high == pytest.approx(-0.10 + 4.302653 * error, rel=1e-5)


@pytest.mark.parametrize(("freedom", "reach"), [(1, 12.7062), (2, 4.302653), (10, 2.228139), (1e6, 1.96)])
def test_students_t_is_that_of_the_tables(freedom: float, reach: float) -> None:
    assert students_t_quantile(0.95, freedom) == pytest.approx(reach, rel=2e-4)
    assert students_t_within(reach, freedom) == pytest.approx(0.95, abs=1e-4)
