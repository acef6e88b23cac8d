"""The uncertainty of a difference between two models: a paired bootstrap over documents.

Both models predict the same masked tokens, so differences are resampled. The losses of a document's chunks
are correlated, so whole documents are drawn, each with all chunks that begin in it, instead of tokens (Efron
& Tibshirani, An Introduction to the Bootstrap, 1993, ch. 8, on dependent data; Koehn 2004 for the paired
test). The interval is the symmetric studentized one (Hall, "On symmetric bootstrap confidence intervals",
1988): documents vary greatly in length, which makes plain percentile intervals too narrow. Its unit is the
jackknife standard error over documents: with few documents the usual standard error is too small (Bell &
McCaffrey, "Bias reduction in standard errors", 2002). bench/coverage.py measures the coverage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95
FEWEST_DOCUMENTS = 10
"""With fewer documents, chunks are drawn: so few say little about the variance between documents."""
_AT_ONCE = 2_000_000  # draws held in memory


@dataclass(frozen=True)
class Estimate:
    """ln(perplexity of b / perplexity of a) on the same tokens, its interval, and the p-value of no
    difference.

    `units`: the number of resampled documents, or chunks.
    """

    log_ratio: float
    low: float
    high: float
    p_value: float
    units: int
    by_document: bool


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

    losses: sums in nats over each chunk's `tokens` masked tokens. documents: any number for the document in
    which each chunk begins. Raises ValueError for fewer than two chunks.
    """
    if len(tokens) < 2:
        raise ValueError("an interval needs at least two chunks")
    units = np.unique(documents, return_inverse=True)[1]
    by_document = int(units.max()) + 1 >= FEWEST_DOCUMENTS
    if not by_document:
        units = np.arange(len(tokens))
    difference = np.bincount(units, losses_b - losses_a)
    weight = np.bincount(units, tokens).astype(np.float64)
    ratio = float(difference.sum() / weight.sum())
    error = jackknife_error(difference, weight)
    if error == 0:  # identical losses, or the same difference everywhere
        p_value = 1.0 if ratio == 0 else 1 / (1 + resamples)
        return Estimate(ratio, ratio, ratio, p_value, len(weight), by_document)
    scores = np.abs(_studentized(difference, weight, ratio, resamples, seed))
    reach = float(np.quantile(scores, LEVEL)) * error
    as_large = int((scores >= abs(ratio) / error).sum())
    p_value = (1 + as_large) / (1 + resamples)
    return Estimate(ratio, ratio - reach, ratio + reach, p_value, len(weight), by_document)


def jackknife_error(difference: np.ndarray, weight: np.ndarray) -> float:
    """Jackknife standard error of sum(difference) / sum(weight) over independent units, both (units,).

    It uses the ratios without each unit (Efron & Tibshirani, ch. 11). A long document pulls the ratio towards
    itself, so an error computed from residuals is too small.
    """
    units = len(weight)
    ratio = difference.sum() / weight.sum()
    without = (difference.sum() - difference) / (weight.sum() - weight)
    return float(np.sqrt((units - 1) / units * ((without - ratio) ** 2).sum()))


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
        drawn = draw.integers(0, units, (count, units)) + np.arange(count)[:, None] * units
        times = np.bincount(drawn.ravel(), minlength=count * units).reshape(count, units)
        r, w, rr, rw, ww = (times.astype(np.float64) @ moments).T
        shift = r / np.maximum(w, 1e-12)
        variance = (rr - 2 * shift * rw + shift**2 * ww) * units / (units - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = shift * w / np.sqrt(np.maximum(variance, 0.0))
        # a resample of one repeated unit has no spread: count it as extreme
        scores[first : first + count] = np.where(variance > 0, score, np.where(r == 0, 0.0, np.inf))
    return scores
