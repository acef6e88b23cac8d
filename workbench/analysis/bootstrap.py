"""How certain a difference between two models is.

Both models answered the same masked tokens, so what counts is the difference at each. Tokens of one document
rise and fall together, so documents are the units (Efron & Tibshirani, An Introduction to the Bootstrap,
1993, ch. 8, on dependent data; Koehn 2004 for the paired test). The verdict is about the mean document:
every document counts the same, however long it is. An interval for the mean token cannot be trusted where
long documents gain more or less than short ones, because few long ones then decide; it is given beside the
other, with the number of documents that carry it. bench/coverage.py measures how often both cover the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.intervals import LEVEL, RESAMPLES, mean_intervals, resample_counts

_AT_ONCE = 2_000_000  # draws held in memory


@dataclass(frozen=True)
class Estimate:
    """How a model b compares with a model a; all ratios are logarithms, below 0 where b is better.

    log_ratio: mean over documents of the difference of the mean losses per asked token, with its 95 %
    interval and the two-sided p-value of no difference. token_ratio, token_low, token_high: ln(perplexity of
    b / perplexity of a), each token counting the same. effective: documents of equal length that would carry
    the token ratio as well (Kish 1965).
    """

    log_ratio: float
    low: float
    high: float
    p_value: float
    documents: int
    token_ratio: float
    token_low: float
    token_high: float
    effective: float


def paired_bootstrap(
    losses_a: np.ndarray,
    losses_b: np.ndarray,
    tokens: np.ndarray,
    documents: np.ndarray,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Compare two models on the same chunks; all arrays are (chunks,).

    losses: sums in nats over the tokens that each chunk asks for (`tokens`). documents: the one that a chunk
    begins in, by any number. Raises ValueError without two documents.
    """
    units = np.unique(documents, return_inverse=True)[1]
    if len(units) == 0 or units.max() < 1:
        raise ValueError("two documents are needed for an interval")
    difference = np.bincount(units, losses_b - losses_a)
    weight = np.bincount(units, tokens).astype(np.float64)
    asked = weight > 0
    difference, weight = difference[asked], weight[asked]
    of_documents = mean_intervals((difference / weight)[None, :], resamples=resamples, seed=seed)
    ratio, low, high = _token_interval(difference, weight, resamples, seed)
    return Estimate(
        float(of_documents.mean[0]),
        float(of_documents.low[0]),
        float(of_documents.high[0]),
        float(of_documents.p_value[0]),
        len(weight),
        ratio,
        low,
        high,
        effective_number(weight),
    )


def effective_number(weight: np.ndarray) -> float:
    """The number of equal weights whose mean is as certain as that with these: (sum)² / sum of squares."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def jackknife_error(difference: np.ndarray, weight: np.ndarray) -> float:
    """Jackknife standard error of sum(difference) / sum(weight) over independent units, both (units,).

    It uses the ratios without each unit (Efron & Tibshirani, ch. 11). A long document pulls the ratio towards
    itself, so an error computed from residuals is too small.
    """
    units = len(weight)
    ratio = difference.sum() / weight.sum()
    without = (difference.sum() - difference) / (weight.sum() - weight)
    return float(np.sqrt((units - 1) / units * ((without - ratio) ** 2).sum()))


def _token_interval(
    difference: np.ndarray, weight: np.ndarray, resamples: int, seed: int
) -> tuple[float, float, float]:
    """The ratio over all tokens and its symmetric studentized interval (Hall, "On symmetric bootstrap
    confidence intervals", 1988), in units of the jackknife's standard error."""
    ratio = float(difference.sum() / weight.sum())
    error = jackknife_error(difference, weight)
    if error == 0:
        return ratio, ratio, ratio
    scores = np.abs(_studentized(difference, weight, ratio, resamples, seed))
    reach = float(np.quantile(scores, LEVEL, method="higher")) * error
    return ratio, ratio - reach, ratio + reach


def _studentized(
    difference: np.ndarray, weight: np.ndarray, ratio: float, resamples: int, seed: int
) -> np.ndarray:
    """(resampled ratio - ratio) / its standard error, for each resample: (resamples,)."""
    units = len(weight)
    draw = np.random.default_rng(seed)
    # residuals from the ratio keep the sums small, and exact for tiny differences
    residual = difference - ratio * weight
    moments = np.stack([residual, weight, residual**2, residual * weight, weight**2], axis=1)
    scores = np.empty(resamples)
    block = max(1, _AT_ONCE // units)
    for first in range(0, resamples, block):
        count = min(block, resamples - first)
        times = resample_counts(units, count, draw)
        r, w, rr, rw, ww = (times.astype(np.float64) @ moments).T
        shift = r / np.maximum(w, 1e-12)
        variance = (rr - 2 * shift * rw + shift**2 * ww) * units / (units - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = shift * w / np.sqrt(np.maximum(variance, 0.0))
        # a resample of one repeated unit has no spread: count it as extreme
        scores[first : first + count] = np.where(variance > 0, score, np.where(r == 0, 0.0, np.inf))
    return scores
