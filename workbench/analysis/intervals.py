"""The mean difference over documents, with an interval that also holds for skewed differences.

Two intervals are computed and the wider end of each is taken: Student's t, and the equal-tailed bootstrap-t
(Efron & Tibshirani, An Introduction to the Bootstrap, 1993, ch. 12), which stretches to the side on which the
values have a long tail. bench/coverage.py measures how often the result covers the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.students_t import students_t_quantile, students_t_within

LEVEL = 0.95
RESAMPLES = 10_000
_AT_ONCE = 2_000_000  # draws held in memory


@dataclass(frozen=True)
class Means:
    """Means with their intervals and two-sided p-values for a mean of zero; all arrays are (rows,)."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray


def mean_intervals(values: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0) -> Means:
    """The mean of each row of `values` (rows, units), at least two units.

    The units of a row are independent of each other, and all rows are resampled alike. Negating a row negates
    its mean and interval exactly, so the order in which two models are compared does not matter.
    """
    units = values.shape[1]
    if units < 2:
        raise ValueError("two units are needed for an interval")
    signed = values.mean(axis=1)
    direction = np.where(signed < 0, -1.0, 1.0)
    mean = np.abs(signed)
    residual = values * direction[:, None] - mean[:, None]
    error = np.sqrt((residual**2).sum(axis=1) / (units * (units - 1)))
    scores = _bootstrap_t(residual, resamples, seed)
    reach = students_t_quantile(LEVEL, units - 1)
    tail = (1 - LEVEL) / 2
    up = np.maximum(np.quantile(scores, 1 - tail, axis=1, method="higher"), reach)
    down = np.minimum(np.quantile(scores, tail, axis=1, method="lower"), -reach)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = mean - up * error, mean - down * error
        ratio = mean / error
    exact = error <= 1e-12 * np.maximum(mean, 1e-300)  # the same difference in every document, or none
    low, high = np.where(exact, mean, low), np.where(exact, mean, high)
    beyond = 2 * (1 + (scores >= ratio[:, None]).sum(axis=1)) / (1 + resamples)
    by_t = np.array([1 - students_t_within(one, units - 1) if np.isfinite(one) else 0.0 for one in ratio])
    p_value = np.minimum(np.maximum(beyond, by_t), 1.0)
    p_value = np.where(exact, np.where(mean == 0, 1.0, 1 / (1 + resamples)), p_value)
    flipped = direction < 0
    return Means(signed, np.where(flipped, -high, low), np.where(flipped, -low, high), p_value)


def resample_counts(units: int, resamples: int, draw: np.random.Generator) -> np.ndarray:
    """How often each unit is drawn in each of `resamples` draws with replacement: (resamples, units)."""
    drawn = draw.integers(0, units, (resamples, units)) + np.arange(resamples)[:, None] * units
    return np.bincount(drawn.ravel(), minlength=resamples * units).reshape(resamples, units)


def _bootstrap_t(residual: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Resampled means of rows with mean zero, over their own standard errors: (rows, resamples)."""
    rows, units = residual.shape
    draw = np.random.default_rng(seed)
    scores = np.empty((rows, resamples))
    block = max(1, _AT_ONCE // units)
    for first in range(0, resamples, block):
        count = min(block, resamples - first)
        times = resample_counts(units, count, draw).T.astype(np.float64)
        shift = residual @ times / units
        variance = (residual**2 @ times / units - shift**2) / (units - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = shift / np.sqrt(np.maximum(variance, 0.0))
        # a resample of a single unit has no spread: its score is as large as a score can be
        flat = np.where(shift == 0, 0.0, np.copysign(np.inf, shift))
        scores[:, first : first + count] = np.where(variance > 0, score, flat)
    return scores
