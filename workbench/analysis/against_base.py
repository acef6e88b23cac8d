"""Compares a run with its base model on the yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.analysis.chunk_scores import FEWEST_DOCUMENTS, ChunkScores, same_test, shared_chunks
from workbench.analysis.protocol import ranks
from workbench.analysis.wording import pair_verdict
from workbench.caveats import base_name, untrained_base

if TYPE_CHECKING:
    from workbench.store import Run, Store, Yardstick


@dataclass(frozen=True, slots=True)
class AgainstBase:
    """A checkpoint against its base model. Perplexities are over all chunks that the checkpoint was scored
    on.

    `untrained`: why the base model was not a trained one; "" if it was. Against random weights there is no
    verdict.

    `verdict`: for example `better by 3.1 % (2.4 to 3.8)`, with the 95 % interval; None if the base model has
    no score, or too few documents are left to compare. perplexity_error: the relative standard error of
    `perplexity` from the choice of masked tokens.
    """

    perplexity: float
    base_perplexity: float | None
    verdict: str | None
    chunks: int
    masked_tokens: int
    untrained: str = ""
    perplexity_error: float | None = None


def against_base(store: Store, run: Run, step: int) -> AgainstBase | None:
    """The comparison for the checkpoint at `step`; None if it was not scored."""
    score = next((score for score in store.yardsticks.of_run(run.id) if _is_of(score, step)), None)
    if score is None:
        return None
    base = next(
        (
            other
            for other in store.yardsticks.of_base(base_name(run.recipe, run.engine))
            if (other.protocol, other.text_fingerprint, other.masks_fingerprint)
            == (score.protocol, score.text_fingerprint, score.masks_fingerprint)
        ),
        None,
    )
    untrained = untrained_base(run.recipe, run.engine)
    return AgainstBase(
        perplexity=score.perplexity,
        base_perplexity=base.perplexity if base else None,
        verdict=_verdict(store, run, base, score) if base and not untrained else None,
        chunks=score.chunks,
        masked_tokens=score.masked_tokens,
        untrained=untrained,
        perplexity_error=score.loss_error,
    )


def _is_of(score: Yardstick, step: int) -> bool:
    return score.step == step and ranks(score) and score.masked_tokens > 0


def _verdict(store: Store, run: Run, base: Yardstick, score: Yardstick) -> str | None:
    from workbench.analysis.bootstrap import paired_bootstrap

    before, after = ChunkScores.of(store, run, base), ChunkScores.of(store, run, score)
    if not same_test(before, after):
        return None
    shared = shared_chunks([before, after])
    if shared.units < FEWEST_DOCUMENTS:
        return None
    difference = paired_bootstrap(
        shared.losses(before),
        shared.losses(after),
        shared.tokens(after),
        shared.documents[shared.kept],
    )
    return pair_verdict(difference.log_ratio, difference.low, difference.high, difference.token_ratio)
