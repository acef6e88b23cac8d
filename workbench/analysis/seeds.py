"""Several seeds of one recipe against several of another: is the difference more than what seeds alone do?

A recipe's mean log perplexity is uncertain twice: other seeds would give other models, and other documents
another test. The first is Welch's variance over the runs, the second the documents' variance of the
difference of the recipes' mean losses. What a seed does to single documents is in both, so it is taken away
once from their sum, and the degrees of freedom are joined after Satterthwaite ("An approximate distribution
of estimates of variance components", 1946): so Clark ("The language-as-fixed-effect fallacy", 1973) for
subjects and words. Every document counts the same, as in `bootstrap`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.intervals import LEVEL
from workbench.analysis.students_t import students_t_quantile, students_t_within

Part = tuple[float, float]
"""A variance and its degrees of freedom."""
_LEAST = 0.8
"""Of the larger variance: less, and what is taken away was overestimated. Chosen by bench.coverage."""


@dataclass(frozen=True)
class GroupEstimate:
    """Mean over documents of the difference of the recipes' mean losses, b less a, in nats per token.
    `p_value`, `low` and `high` take in seeds and documents, `p_seeds` seeds alone.
    """

    log_ratio: float
    low: float
    high: float
    p_value: float
    p_seeds: float


def by_document(losses: np.ndarray, tokens: np.ndarray, documents: np.ndarray) -> np.ndarray:
    """Mean loss per asked token in each document. losses: (runs, chunks) sums in nats; tokens and documents:
    (chunks,). Returns (runs, documents); documents of which nothing was asked are left out.
    """
    units = np.unique(documents, return_inverse=True)[1]
    weight = np.bincount(units, tokens)
    sums = np.stack([np.bincount(units, one) for one in losses])
    return np.asarray(sums[:, weight > 0] / weight[weight > 0])


def compare_groups(
    losses_a: np.ndarray, losses_b: np.ndarray, tokens: np.ndarray, documents: np.ndarray
) -> GroupEstimate:
    """Compare two recipes; losses: (seeds, chunks) sums in nats on the same chunks, tokens and documents
    (chunks,). One of the two may have a single seed: the other's spread then stands for both. Raises
    ValueError when both have, or without two documents.
    """
    a, b = (by_document(losses, tokens, documents) for losses in (losses_a, losses_b))
    units = a.shape[1]
    if units < 2:
        raise ValueError("two documents are needed for an interval")
    logs_a, logs_b = a.mean(axis=1), b.mean(axis=1)
    of_seeds, seed_freedom = _welch(logs_a, logs_b)
    of_documents = float((b.mean(axis=0) - a.mean(axis=0)).var(ddof=1)) / units
    both, both_freedom = _of_both(a, b)
    return _estimate(
        float(logs_b.mean() - logs_a.mean()),
        (of_seeds, seed_freedom),
        (of_documents, float(units - 1)),
        (both, both_freedom),
    )


def compare_by_seed(log_ratios: np.ndarray, test_share: float) -> GroupEstimate:
    """Compare two recipes by one log ratio per seed, each on that seed's own test: (seeds,), at least two.

    Such tests are drawn from one text and overlap, so their ratios rise and fall together, and a plain t-test
    calls equal recipes different too often. test_share: documents of a test over those trained on, which
    corrects the variance (Nadeau & Bengio, "Inference for the generalization error", 2003).
    """
    seeds = len(log_ratios)
    variance = float(log_ratios.var(ddof=1)) * (1 / seeds + test_share)
    return _estimate(float(log_ratios.mean()), (variance, seeds - 1), (0.0, 1.0), (0.0, 1.0))


def _of_both(a: np.ndarray, b: np.ndarray) -> Part:
    """The share of the variance that seeds and documents have together, and its degrees of freedom: what is
    left of the losses (seeds, documents) when each document's and each run's own mean are taken away.
    """
    variance, freedom = 0.0, 0.0
    for losses in (a, b):
        seeds, units = losses.shape
        if seeds < 2:
            continue
        level = losses.mean(axis=1)
        left = losses - losses.mean(axis=0) - (level - level.mean())[:, None]
        variance += float((left**2).sum()) / (seeds - 1) / (units - 1) / units / seeds
        freedom += (seeds - 1) * (units - 1)
    return variance, max(freedom, 1.0)


def _welch(logs_a: np.ndarray, logs_b: np.ndarray) -> Part:
    """Variance of the difference of the means over seeds, and its degrees of freedom (Welch 1947)."""
    if len(logs_a) < 2 and len(logs_b) < 2:
        raise ValueError("one of the recipes needs at least two seeds")
    if min(len(logs_a), len(logs_b)) < 2:
        known = logs_a if len(logs_a) > 1 else logs_b
        variance = float(known.var(ddof=1))
        return variance / len(logs_a) + variance / len(logs_b), len(known) - 1
    parts: list[Part] = [(float(logs.var(ddof=1)) / len(logs), len(logs) - 1) for logs in (logs_a, logs_b)]
    total = sum(variance for variance, _ in parts)
    return total, _joined(total, parts)


def _joined(total: float, parts: list[Part]) -> float:
    """Degrees of freedom of a variance that is a sum or a difference of others (Satterthwaite 1946)."""
    if total == 0:
        return 1.0
    return max(total**2 / sum(variance**2 / freedom for variance, freedom in parts), 1.0)


def _estimate(ratio: float, of_seeds: Part, of_documents: Part, of_both: Part) -> GroupEstimate:
    least = _LEAST * max(of_seeds[0], of_documents[0])  # in truth the sum is at least either of them
    total = max(of_seeds[0] + of_documents[0] - of_both[0], least)
    freedom = _joined(total, [of_seeds, of_documents, of_both])
    error = float(np.sqrt(total))
    reach = students_t_quantile(LEVEL, freedom) * error
    return GroupEstimate(
        ratio,
        ratio - reach,
        ratio + reach,
        two_sided(ratio, error, freedom),
        two_sided(ratio, float(np.sqrt(of_seeds[0])), of_seeds[1]),
    )


def two_sided(value: float, error: float, freedom: float) -> float:
    """P-value of a difference of zero, for a value with this standard error and degrees of freedom."""
    if error == 0:
        return 1.0 if value == 0 else 0.0
    return 1 - students_t_within(abs(value) / error, freedom)
