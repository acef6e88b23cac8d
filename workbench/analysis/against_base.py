"""Compares a run with its base model on the yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.analysis.chunk_scores import ChunkScores, shared_chunks
from workbench.analysis.document_hashes import documents_of
from workbench.analysis.wording import verdict
from workbench.caveats import base_name, untrained_base

if TYPE_CHECKING:
    from workbench.store import Run, Store, Yardstick

_FEWEST_CHUNKS = 10


@dataclass(frozen=True, slots=True)
class AgainstBase:
    """A checkpoint against its base model. Perplexities are over all chunks that the checkpoint was scored
    on.

    `untrained`: why the base model was not a trained one; "" if it was. Against random weights there is no
    verdict. `verdict`: for example `better by 3.1 % (2.4 to 3.8)`, with the 95 % interval; None if the base
    model has no score, or too few chunks are left to compare.
    """

    perplexity: float
    base_perplexity: float | None
    verdict: str | None
    chunks: int
    masked_tokens: int
    untrained: str = ""


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
        verdict=_verdict(run, base, score) if base and not untrained else None,
        chunks=score.chunks,
        masked_tokens=score.masked_tokens,
        untrained=untrained,
    )


def _is_of(score: Yardstick, step: int) -> bool:
    return score.step == step and score.protocol.startswith("tokens-") and score.masked_tokens > 0


def _verdict(run: Run, base: Yardstick, score: Yardstick) -> str | None:
    from workbench.analysis.bootstrap import paired_bootstrap

    hashes = documents_of(Path(run.folder))
    before, after = ChunkScores.of(run, base, hashes), ChunkScores.of(run, score, hashes)
    if before.text != after.text:
        return None
    shared = shared_chunks([before, after])
    if shared.chunks < _FEWEST_CHUNKS:
        return None
    kept = shared.kept.nonzero()[0]
    estimate = paired_bootstrap(
        before.losses[kept], after.losses[kept], after.tokens[kept], shared.documents[kept]
    )
    return verdict(estimate.log_ratio, estimate.low, estimate.high)
