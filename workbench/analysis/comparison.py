"""The result of comparing runs, as plain data for screens and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run in a comparison, represented by one checkpoint.

    `yardstick_perplexity`: the checkpoint's, over all its chunks; `base_perplexity`: the base model's on the
    same test; `base_untrained`: why that was not a trained model. `eval_perplexity`: on the run's own test,
    so runs cannot be ranked by it. `yardstick_error`: the standard error of `yardstick_perplexity`, as a
    share of it, caused by the choice of masked tokens; `draws`: how many times they were chosen.
    `older_perplexity`: on tokens-1, the yardstick of earlier versions, which does not rank. None: unknown.
    """

    id: int
    name: str
    status: str
    seed: int | None
    step: int | None
    eval_perplexity: float | None
    yardstick_perplexity: float | None
    base_perplexity: float | None
    chunks: int | None
    masked_tokens: int | None
    base_untrained: str | None = None
    yardstick_error: float | None = None
    draws: int | None = None
    older_perplexity: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs, by id, compared on the chunks that both have.

    log_ratio: the mean over documents of ln(perplexity of b / perplexity of a), so below 0 if b is better,
    with its 95 % interval and the two-sided p-value of no difference. `verdict` is about b: `better by 3.1 %
    (2.4 to 3.8)` (its perplexity is 3.1 % lower in the mean document), `worse by …`, or `no difference
    shown`. token_log_ratio: ln(perplexity of b / perplexity of a) over all tokens, with its interval;
    effective_documents: how many documents of equal length would give as certain a figure. seeds_alone: how
    often two seeds of such a recipe differ at least as much; None: unknown.
    """

    a: int
    b: int
    log_ratio: float
    ci_low: float
    ci_high: float
    p_value: float
    verdict: str
    chunks: int
    documents: int
    token_log_ratio: float
    token_ci_low: float
    token_ci_high: float
    effective_documents: float
    seeds_alone: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Runs of one recipe that differ only in the seed.

    perplexity: exp of the mean log perplexity on the yardstick. spread: standard deviation of the log
    perplexities over the seeds, about the relative spread of the perplexities; None for a single run.
    """

    label: str
    runs: list[int]
    seeds: list[int]
    perplexity: float
    spread: float | None


@dataclass(frozen=True, slots=True)
class GroupPair:
    """Two groups, by their indices in `Comparison.groups`; fields as in `Pair`.

    p_value and interval cover the variance from seeds and from the choice of test documents; p_seeds covers
    that from seeds alone. If the difference is within it, the verdict is no difference.
    """

    a: int
    b: int
    log_ratio: float
    ci_low: float
    ci_high: float
    p_value: float
    p_seeds: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side.

    differences: recipe fields that differ between runs, each with one value per run, in the order of `runs`.
    comparable: every pair can be ranked; otherwise `why_not` gives the reasons, and `pairs` has only the
    pairs that can. notes: caveats for the reader; warnings: runs that went wrong. groups, group_pairs: empty
    unless a recipe was run with several seeds.
    """

    runs: list[ComparedRun]
    differences: dict[str, list[Any]]
    comparable: bool
    why_not: list[str]
    pairs: list[Pair]
    notes: list[str] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    group_pairs: list[GroupPair] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def pair(self, a: int, b: int) -> Pair | None:
        """The pair of these two runs in this order, if they can be ranked."""
        return next((pair for pair in self.pairs if (pair.a, pair.b) == (a, b)), None)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
