"""All pairs of several recipes at once: the chance of any false difference among them is kept at 5 %.

For each pair the difference of their mean losses over documents is divided by its standard error. What the
largest of these ratios would be without any difference is found by flipping the signs of the documents'
differences at random, the same flips for all pairs, and by drawing what seeds do from a normal distribution
(max-type correction: Westfall & Young, Resampling-Based Multiple Testing, 1993; sign flips: Hothorn, Bretz &
Westfall 2008 for the single-step maximum, Romano & Wolf 2005 for resampled ones). Where equal recipes differ
symmetrically the flips alone are exact for any number of documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.analysis.students_t import students_t_quantile

LEVEL = 0.95
RESAMPLES = 2_000
_AT_ONCE = 4_000_000  # ratios held in memory


@dataclass(frozen=True)
class Family:
    """Every pair (i, j) of recipes; arrays are (recipes, recipes).

    difference: mean loss of j less that of i, in nats. error: its standard error. p_value: corrected for all
    pairs. reach: the critical ratio, so that difference ± reach * error holds for all pairs at once.
    beyond_seeds: whether the difference is more than two seeds of one recipe would make, by a t-test of this
    pair alone with the seeds of all recipes; True where no seed was repeated.
    """

    difference: np.ndarray
    error: np.ndarray
    p_value: np.ndarray
    reach: float
    beyond_seeds: np.ndarray


@dataclass(frozen=True)
class SeedSpread:
    """What seeds do to a recipe's mean loss: variance by recipe (recipes,), and its degrees of freedom."""

    variance: np.ndarray
    freedom: int


def all_pairs(losses: Sequence[np.ndarray], *, resamples: int = RESAMPLES, seed: int = 0) -> Family:
    """Compare recipes on the same documents. losses: of each recipe (seeds, documents), the mean loss in nats
    of the tokens asked in each document. Two recipes and two documents at least.
    """
    means = np.stack([one.mean(axis=0) for one in losses])
    recipes, units = means.shape
    level = means.mean(axis=1)
    difference = level[None, :] - level[:, None]
    # distances between rows, from sums that stay small: what all recipes have in common is taken away
    apart = means - means.mean(axis=0)
    squares = _squared_distances(apart)
    of_documents = (squares - units * difference**2) / (units * (units - 1))
    counts = np.array([len(one) for one in losses])
    main, pooled, freedom = _seed_variance(losses)
    of_seeds = _seeds_of_pairs(main, pooled, counts)
    error = np.sqrt(np.maximum(of_documents + of_seeds, 0.0))
    ratio = _over(np.abs(difference), error)
    if freedom:
        apart = apart - apart.mean(axis=1, keepdims=True)
        apart *= np.sqrt(units / (units - 1))
        squares = _squared_distances(apart)
    draw = np.random.default_rng(seed)
    largest = np.empty(resamples)
    block = max(1, _AT_ONCE // recipes**2)
    for first in range(0, resamples, block):
        count = min(block, resamples - first)
        largest[first : first + count] = _largest(apart, squares, counts, pooled, freedom, count, draw)
    beyond = (largest[:, None] >= ratio[np.triu_indices(recipes, 1)]).sum(axis=0)
    p_value = np.ones((recipes, recipes))
    p_value[np.triu_indices(recipes, 1)] = (1 + beyond) / (1 + resamples)
    p_value = np.minimum(p_value, p_value.T)
    beyond_seeds = np.abs(difference) > _reach_of_seeds(losses, counts, freedom)
    reach = float(np.quantile(largest, LEVEL, method="higher"))
    return Family(difference, error, p_value, reach, beyond_seeds | (freedom == 0))


def _reach_of_seeds(losses: Sequence[np.ndarray], counts: np.ndarray, freedom: int) -> np.ndarray:
    """The difference of two recipes that seeds alone seldom exceed: (recipes, recipes)."""
    if not freedom:
        return np.zeros((len(counts), len(counts)))
    levels = [one.mean(axis=1) for one in losses]
    pooled = sum(float(((level - level.mean()) ** 2).sum()) for level in levels) / freedom
    each = pooled / counts
    return np.asarray(students_t_quantile(LEVEL, freedom) * np.sqrt(each[:, None] + each[None, :]))


def optimism(levels: np.ndarray, contributions: np.ndarray, of_seeds: np.ndarray, best: int) -> float:
    """By how much the best recipe's mean loss is too low because it was chosen as the lowest, in nats.

    levels: (recipes,) mean losses. contributions: (recipes, documents), whose means are the levels or differ
    from them by a constant. of_seeds: (recipes,) variance of each level that seeds cause. The best level is
    drawn towards the mean of all by the share of their spread that is noise (James & Stein 1961; Efron,
    "Tweedie's formula and selection bias", 2011).
    """
    recipes, units = contributions.shape
    if recipes < 2:
        return 0.0
    apart = contributions - contributions.mean(axis=0)
    apart = apart - apart.mean(axis=1, keepdims=True)
    noise = float((apart**2).sum() / (units * (units - 1)) / (recipes - 1) + of_seeds.mean())
    spread = float(levels.var(ddof=1))
    if spread <= 0:
        return 0.0
    share = min(1.0, noise / spread)
    return max(0.0, share * float(levels.mean() - levels[best]))


def seed_spread(losses: Sequence[np.ndarray]) -> SeedSpread:
    """What seeds do to each recipe's mean loss, beyond what they do to single documents.

    A recipe with one seed has the variance of the others; without any repeated recipe it is zero.
    """
    counts = np.array([len(one) for one in losses])
    main, pooled, freedom = _seed_variance(losses)
    return SeedSpread(np.maximum(main, pooled) / counts, freedom)


def _largest(
    apart: np.ndarray,
    squares: np.ndarray,
    counts: np.ndarray,
    pooled: float,
    freedom: int,
    count: int,
    draw: np.random.Generator,
) -> np.ndarray:
    """The largest ratio among all pairs in each of `count` worlds without a difference: (count,)."""
    recipes, units = apart.shape
    signs = draw.integers(0, 2, (count, units)) * 2.0 - 1.0
    level = signs @ apart.T / units
    by_documents = level[:, None, :] - level[:, :, None]
    variance = (squares - units * by_documents**2) / (units * (units - 1))
    by_all = by_documents
    if freedom and pooled > 0:
        most = int(counts.max())
        # how much seeds do is known from few runs only: each world has a variance that would fit them
        scale = np.sqrt(pooled * freedom / draw.chisquare(freedom, count))
        seeds = draw.normal(0.0, 1.0, (count, recipes, most)) * scale[:, None, None]
        there = np.arange(most) < counts[:, None]
        means = (seeds * there).sum(axis=2) / counts
        squared = ((seeds - means[:, :, None]) ** 2 * there).sum(axis=2)
        own = squared / np.maximum(counts - 1, 1)
        of_all = squared.sum(axis=1) / freedom
        variance = variance + _seeds_of_pairs(own, of_all, counts)
        by_all = by_documents + means[:, None, :] - means[:, :, None]
    ratio = _over(np.abs(by_all), np.sqrt(np.maximum(variance, 0.0)))
    return np.asarray(ratio.reshape(count, -1).max(axis=1))


def _seeds_of_pairs(own: np.ndarray, pooled: np.ndarray | float, counts: np.ndarray) -> np.ndarray:
    """Variance of each pair's difference that seeds cause: from all recipes together, or from the two of the
    pair where these vary more. own: (..., recipes), pooled: (...); the result is (..., recipes, recipes).
    """
    shared = np.asarray(pooled)[..., None] / counts
    single = own / counts
    return np.maximum(
        shared[..., :, None] + shared[..., None, :], single[..., :, None] + single[..., None, :]
    )


def _seed_variance(losses: Sequence[np.ndarray]) -> tuple[np.ndarray, float, int]:
    """Variance of a run's mean loss over seeds, less what seeds do to single documents: of each recipe
    (recipes,), of all together, and the degrees of freedom."""
    own, total, freedom = [], 0.0, 0
    for matrix in losses:
        seeds, units = matrix.shape
        if seeds < 2:
            own.append(0.0)
            continue
        level = matrix.mean(axis=1)
        left = matrix - matrix.mean(axis=0) - (level - level.mean())[:, None]
        single = float((left**2).sum()) / ((seeds - 1) * (units - 1)) / units
        variance = float(level.var(ddof=1)) - single
        own.append(max(variance, 0.0))
        total += variance * (seeds - 1)
        freedom += seeds - 1
    return np.array(own), max(total / freedom, 0.0) if freedom else 0.0, freedom


def _squared_distances(rows: np.ndarray) -> np.ndarray:
    """Squared distances between all rows: (rows, rows)."""
    inner = rows @ rows.T
    own = np.diag(inner)
    return np.maximum(own[:, None] + own[None, :] - 2 * inner, 0.0)


def _over(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """value / error; infinite for a difference without error, 0 for none at all."""
    tiny = 1e-12 * (1.0 + np.abs(value))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = value / error
    return np.where(error > tiny, ratio, np.where(value > tiny, np.inf, 0.0))
