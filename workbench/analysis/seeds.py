"""Compares two recipes with several seeds each: does the difference exceed the variance between seeds?

A recipe's mean log perplexity has two sources of variance: other seeds would give other models, and other
documents another test. The first is Welch's variance over runs; the second is the variance over documents of
the difference of the recipes' mean losses, by the jackknife. Both contain the interaction of seeds and
documents, so it is subtracted once from their sum, and the degrees of freedom are combined after
Satterthwaite ("An approximate distribution of estimates of variance components", 1946), as Clark does for
subjects and words ("The language-as-fixed-effect fallacy", 1973). A bootstrap over so few runs would be too
narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.bootstrap import FEWEST_DOCUMENTS, LEVEL, jackknife_error

Part = tuple[float, float]
"""A variance and its degrees of freedom."""
_STEPS = 20_000
_MOST_FREEDOM = 1e4
"""Above this t is practically normal, and its angles are too small for the grid."""


@dataclass(frozen=True)
class GroupEstimate:
    """ln(perplexity of b / perplexity of a), from the recipes' mean log perplexities.

    `p_value`, `low` and `high` cover the variance from seeds and documents, `p_seeds` that from seeds alone.
    """

    log_ratio: float
    low: float
    high: float
    p_value: float
    p_seeds: float


def compare_groups(
    losses_a: np.ndarray, losses_b: np.ndarray, tokens: np.ndarray, documents: np.ndarray
) -> GroupEstimate:
    """Compare two recipes. losses: (seeds, chunks), sums in nats on the same chunks; the rest: (chunks,).

    If one recipe has a single seed, the other's variance is used for both. Raises ValueError when both have.
    """
    logs_a, logs_b = losses_a.sum(1) / tokens.sum(), losses_b.sum(1) / tokens.sum()
    ratio = float(logs_b.mean() - logs_a.mean())
    of_seeds, seed_freedom = _welch(logs_a, logs_b)
    units = np.unique(documents, return_inverse=True)[1]
    if int(units.max()) + 1 < FEWEST_DOCUMENTS:
        units = np.arange(len(tokens))
    weight = np.bincount(units, tokens).astype(np.float64)
    difference = np.bincount(units, losses_b.mean(0) - losses_a.mean(0))
    of_documents = jackknife_error(difference, weight) ** 2
    both, both_freedom = _interaction(losses_a, losses_b, units, weight)
    return _estimate(
        ratio,
        (of_seeds, seed_freedom),
        (of_documents, float(units.max())),
        (min(both, of_seeds, of_documents), both_freedom),
    )


def compare_by_seed(log_ratios: np.ndarray) -> GroupEstimate:
    """Compare two recipes by one log ratio per seed, each on that seed's own test: (seeds,), at least two.

    Each seed has its own test documents, so the variance of the ratios covers seeds and documents: a paired
    t-test.
    """
    variance = float(log_ratios.var(ddof=1)) / len(log_ratios)
    return _estimate(float(log_ratios.mean()), (variance, len(log_ratios) - 1), (0.0, 1.0), (0.0, 1.0))


def _interaction(losses_a: np.ndarray, losses_b: np.ndarray, units: np.ndarray, weight: np.ndarray) -> Part:
    """The variance of the interaction of seeds and documents, and its degrees of freedom.

    It comes from the residuals of the losses (seeds, chunks) without each document's and each run's mean.
    """
    count, variance, freedom = len(weight), 0.0, 0.0
    for losses in (losses_a, losses_b):
        seeds = len(losses)
        if seeds < 2:
            continue
        of_units = np.stack([np.bincount(units, of_seed) for of_seed in losses])
        shift = losses.sum(1) / weight.sum()
        left = of_units - of_units.mean(0) - np.outer(shift - shift.mean(), weight)
        variance += float((left**2).sum()) / (seeds - 1) * count / (count - 1) / weight.sum() ** 2 / seeds
        freedom += (seeds - 1) * (count - 1)
    return variance, max(freedom, 1.0)


def _welch(logs_a: np.ndarray, logs_b: np.ndarray) -> Part:
    """Variance of the difference of the means over seeds, and its degrees of freedom (Welch 1947)."""
    if len(logs_a) < 2 and len(logs_b) < 2:
        raise ValueError("one of the recipes needs at least two seeds")
    if min(len(logs_a), len(logs_b)) < 2:
        several = logs_a if len(logs_a) > 1 else logs_b
        variance = float(several.var(ddof=1))
        return variance / len(logs_a) + variance / len(logs_b), len(several) - 1
    parts: list[Part] = [(float(logs.var(ddof=1)) / len(logs), len(logs) - 1) for logs in (logs_a, logs_b)]
    total = sum(variance for variance, _ in parts)
    return total, _combined_freedom(total, parts)


def _combined_freedom(total: float, parts: list[Part]) -> float:
    """Degrees of freedom of a variance that is a sum or a difference of others (Satterthwaite 1946)."""
    if total == 0:
        return 1.0
    return max(total**2 / sum(variance**2 / freedom for variance, freedom in parts), 1.0)


def _estimate(ratio: float, of_seeds: Part, of_documents: Part, of_both: Part) -> GroupEstimate:
    total = of_seeds[0] + of_documents[0] - of_both[0]
    freedom = _combined_freedom(total, [of_seeds, of_documents, of_both])
    error = float(np.sqrt(total))
    reach = students_t_quantile(LEVEL, freedom) * error
    return GroupEstimate(
        ratio,
        ratio - reach,
        ratio + reach,
        _two_sided(ratio, error, freedom),
        _two_sided(ratio, float(np.sqrt(of_seeds[0])), of_seeds[1]),
    )


def _two_sided(value: float, error: float, freedom: float) -> float:
    if error == 0:
        return 1.0 if value == 0 else 0.0
    return 1 - students_t_within(abs(value) / error, freedom)


def students_t_within(reach: float, freedom: float) -> float:
    """P(|T| < reach) of Student's t: with t = sqrt(freedom) tan(angle) the density is cos^(freedom-1)."""
    freedom = min(freedom, _MOST_FREEDOM)
    angles, share = _angles(freedom)
    return float(np.interp(np.arctan(reach / np.sqrt(freedom)), angles, share))


def students_t_quantile(level: float, freedom: float) -> float:
    """The reach within which |T| lies with probability `level`."""
    freedom = min(freedom, _MOST_FREEDOM)
    angles, share = _angles(freedom)
    return float(np.sqrt(freedom) * np.tan(np.interp(level, share, angles)))


def _angles(freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Angles of 0 to pi/2 and the share of |T| within each, by the trapezoidal rule."""
    angles = np.linspace(0.0, np.pi / 2, _STEPS + 1)
    density = np.cos(angles) ** (freedom - 1)
    share = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return angles, share / share[-1]
