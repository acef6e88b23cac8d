"""Words comparisons as text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.metrics import change

NO_DIFFERENCE = "no difference shown"


def verdict(log_ratio: float, low: float, high: float) -> str:
    """The verdict about b from ln(perplexity of b / perplexity of a) and its interval."""
    if low <= 0 <= high:
        return NO_DIFFERENCE
    if log_ratio < 0:
        word, shares = "better", [-change(value) for value in (log_ratio, high, low)]
    else:
        word, shares = "worse", [change(value) for value in (log_ratio, low, high)]
    estimate, least, most = _percents(shares)
    return f"{word} by {estimate} % ({least} to {most})"


def pair_verdict(log_ratio: float, low: float, high: float, token_ratio: float) -> str:
    """As `verdict`, where the perplexities, in which long documents count more, do not say the opposite."""
    said = verdict(log_ratio, low, high)
    if said != NO_DIFFERENCE and log_ratio * token_ratio < 0:
        return f"{NO_DIFFERENCE}: long and short documents disagree"
    return said


def group_verdict(log_ratio: float, low: float, high: float, p_seeds: float) -> str:
    """The same for recipes: a difference within the variance of seeds is no difference between recipes."""
    text = verdict(log_ratio, low, high)
    if text == NO_DIFFERENCE or p_seeds < 0.05:
        return text
    return f"{NO_DIFFERENCE} beyond seed variance"


def _percents(shares: Sequence[float]) -> list[str]:
    """With enough digits to distinguish the interval's ends, for instance 3.1, 0.12, 2,500."""
    width = 100 * abs(shares[2] - shares[1])
    digits = min(4, -math.floor(math.log10(width))) if 0 < width < math.inf else 1
    digits = max(digits, 0 if 100 * max(map(abs, shares)) >= 1000 else 1)
    return [f"{100 * share:,.{digits}f}".replace("inf", "∞") for share in shares]


def listed(runs: Sequence[int]) -> str:
    """`run 3`, `runs 1 and 2`, `runs 1, 2 and 5`."""
    if len(runs) == 1:
        return f"run {runs[0]}"
    return f"runs {', '.join(map(str, runs[:-1]))} and {runs[-1]}"


def sides(classes: Sequence[Sequence[int]]) -> str:
    """`runs 1 and 2 | run 3`."""
    return " | ".join(listed(runs) for runs in classes)


def plural(count: int, word: str) -> str:
    """`1 document`, `3 documents`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
