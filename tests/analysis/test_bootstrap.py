"""Intervals: right on what can be worked out by hand, and honest in made-up worlds with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis.bootstrap import effective_number, jackknife_error, paired_bootstrap
from workbench.analysis.family import all_pairs
from workbench.analysis.intervals import mean_intervals
from workbench.analysis.seeds import compare_by_seed, compare_groups
from workbench.analysis.students_t import students_t_quantile, students_t_within


def test_every_document_counts_the_same_and_every_token_beside_it() -> None:
    tokens = np.array([10, 30] * 10)
    losses_a = tokens * 2.0
    losses_b = losses_a + np.array([5.0, 3.0] * 10)
    found = paired_bootstrap(losses_a, losses_b, tokens, np.arange(20))
    assert found.log_ratio == pytest.approx((0.5 + 0.1) / 2)
    assert found.token_ratio == pytest.approx(80 / 400)
    assert found.low < found.log_ratio < found.high and found.p_value < 0.01
    assert found.token_low < found.token_ratio < found.token_high


def test_turning_the_pair_round_turns_the_sign_round() -> None:
    draw = np.random.default_rng(1)
    tokens = draw.integers(10, 30, 60)
    a, b = draw.lognormal(0, 1, (2, 60)) * tokens
    one = paired_bootstrap(a, b, tokens, np.arange(60) // 3)
    other = paired_bootstrap(b, a, tokens, np.arange(60) // 3)
    assert other.log_ratio == -one.log_ratio
    assert (other.low, other.high) == (-one.high, -one.low)
    assert other.p_value == one.p_value
    assert (other.token_low, other.token_high) == pytest.approx((-one.token_high, -one.token_low))


def test_the_same_model_twice_is_no_difference() -> None:
    losses, tokens = np.arange(1.0, 21.0), np.full(20, 19)
    found = paired_bootstrap(losses, losses, tokens, np.arange(20))
    assert (found.log_ratio, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_documents_are_the_units_however_few() -> None:
    draw = np.random.default_rng(2)
    tokens = np.full(60, 19)
    b = np.repeat(draw.normal(0, 1, 12), 5) * tokens
    found = paired_bootstrap(np.zeros(60), b, tokens, np.repeat(np.arange(12), 5))
    few = paired_bootstrap(np.zeros(60), b, tokens, np.repeat(np.arange(3), 20))
    assert (found.documents, few.documents) == (12, 3)
    assert few.high - few.low > 2 * (found.high - found.low)
    with pytest.raises(ValueError, match="two documents"):
        paired_bootstrap(np.zeros(60), b, tokens, np.zeros(60, int))


def test_the_interval_reaches_to_the_side_of_the_long_tail() -> None:
    values = np.random.default_rng(3).lognormal(0, 1.2, 40)
    found = mean_intervals(values[None, :])
    up, down = found.high[0] - found.mean[0], found.mean[0] - found.low[0]
    assert up > 1.2 * down
    reach = students_t_quantile(0.95, 39) * values.std(ddof=1) / np.sqrt(40)
    assert min(up, down) >= reach * (1 - 1e-9)


def test_one_seed_gives_one_answer() -> None:
    draw = np.random.default_rng(3)
    arguments = (draw.normal(3, 1, 900) * 19, draw.normal(3, 1, 900) * 19, np.full(900, 19), np.arange(900))
    assert paired_bootstrap(*arguments) == paired_bootstrap(*arguments)
    assert paired_bootstrap(*arguments, seed=1) != paired_bootstrap(*arguments)


def test_the_standard_error_is_that_of_a_mean_where_weights_are_equal() -> None:
    values = np.random.default_rng(4).normal(0, 1, 50)
    assert jackknife_error(values, np.ones(50)) == pytest.approx(values.std(ddof=1) / np.sqrt(50))
    assert effective_number(np.ones(50)) == 50 and effective_number(np.array([100.0, 1, 1])) < 1.1


@pytest.mark.parametrize("documents", [10, 40])
@pytest.mark.parametrize("gain_with_length", [-0.5, 0.5])
def test_intervals_cover_the_mean_document_whose_gain_depends_on_its_length(
    documents: int, gain_with_length: float
) -> None:
    """An independent simulation: 1,000 tests of documents of lognormal length with lognormal gains."""
    draw = np.random.default_rng(documents)
    length = draw.normal(size=(1000, documents))
    other = draw.normal(size=(1000, documents))
    mixed = gain_with_length * length + np.sqrt(1 - gain_with_length**2) * other
    gain = 0.05 * (np.exp(mixed) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)
    tokens = 19 * np.maximum(1, np.round(np.exp(1.2 + 1.3 * length)))
    values = gain + 0.5 * draw.normal(size=gain.shape) / np.sqrt(tokens)
    found = mean_intervals(values, resamples=400)
    covered = np.mean((found.low <= 0) & (found.high >= 0))
    assert 0.93 <= covered <= 0.975  # one standard error of 1,000 trials is 0.007
    assert np.mean(found.p_value < 0.05) == pytest.approx(1 - covered, abs=0.01)


@pytest.mark.parametrize(("recipes", "seeds", "spread"), [(2, 1, 0.0), (12, 1, 0.0), (5, 3, 0.03)])
def test_of_equal_recipes_any_is_called_behind_in_one_sweep_of_twenty(
    recipes: int, seeds: int, spread: float
) -> None:
    draw = np.random.default_rng(recipes)
    alarms = 0
    for _ in range(200):
        documents = draw.normal(0, 0.2, 25)
        losses = [
            documents
            + draw.normal(0, 0.05, 25)
            + draw.normal(0, spread, (seeds, 1))
            + draw.normal(0, 0.05, (seeds, 25))
            for _ in range(recipes)
        ]
        found = all_pairs(losses, resamples=400)
        alarms += bool((found.p_value < 0.05).any())
    assert alarms <= 20  # of 200, 10 are due, 20 are three standard errors more


def test_a_recipe_that_is_worse_is_found_among_many() -> None:
    draw = np.random.default_rng(7)
    documents = draw.normal(0, 0.2, 60)
    losses = [documents + draw.normal(0, 0.05, (1, 60)) + 0.1 * (number == 4) for number in range(20)]
    found = all_pairs(losses)
    worse = found.p_value[4] < 0.05
    assert worse.sum() == 19 and (found.p_value < 0.05).sum() == 38
    assert (found.difference[:, 4][worse] - found.reach * found.error[:, 4][worse] > 0).all()


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


def test_seeds_that_split_one_text_differently_are_no_independent_tests() -> None:
    ratios = np.array([-0.10, -0.12, -0.08])
    found = compare_by_seed(ratios, test_share=0.25)
    error = ratios.std(ddof=1) * np.sqrt(1 / 3 + 0.25)
    assert found.log_ratio == pytest.approx(-0.10)
    assert found.high == pytest.approx(-0.10 + 4.302653 * error, rel=1e-5)


@pytest.mark.parametrize("seeds", [5, 10])
def test_overlapping_splits_raise_no_false_alarms(seeds: int) -> None:
    """500 documents, a fifth of them the test of each seed: a plain t-test is wrong in 14 % and 24 %."""
    draw, corrected, plain = np.random.default_rng(seeds), 0, 0
    for _ in range(400):
        gains = draw.normal(0, 0.1, 500)
        tests = [draw.permutation(500)[:100] for _ in range(seeds)]
        ratios = np.array([gains[test].mean() for test in tests]) + draw.normal(0, 0.002, seeds)
        corrected += compare_by_seed(ratios, test_share=0.25).p_value < 0.05
        plain += compare_by_seed(ratios, test_share=0.0).p_value < 0.05
    assert corrected <= 34 < plain  # of 400, 20 are due, 34 are three standard errors more


@pytest.mark.parametrize(("freedom", "reach"), [(1, 12.7062), (2, 4.302653), (10, 2.228139), (1e6, 1.96)])
def test_students_t_is_that_of_the_tables(freedom: float, reach: float) -> None:
    assert students_t_quantile(0.95, freedom) == pytest.approx(reach, rel=2e-4)
    assert students_t_within(reach, freedom) == pytest.approx(0.95, abs=1e-4)
