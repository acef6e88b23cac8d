"""One run against the model that it began with, on the yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.analysis.chunk_scores import Sheet, common
from workbench.analysis.document_hashes import documents_of
from workbench.analysis.wording import verdict
from workbench.caveats import base_name, untrained_base

if TYPE_CHECKING:
    from workbench.store import Run, Store, Yardstick

_FEWEST_CHUNKS = 10


@dataclass(frozen=True, slots=True)
class AgainstBase:
    """What a checkpoint gained. Perplexities are over all chunks that it was scored on.

    `untrained`: why the base model was no trained one, in a few words; "" where it was. There is no verdict
    against random weights.

    `verdict`: `better by 3.1 % (2.4 to 3.8)` and the like, of the checkpoint against the base model, with the
    95 % interval; None where the base model has no score, or too few chunks are left to compare.
    """

    perplexity: float
    base_perplexity: float | None
    verdict: str | None
    chunks: int
    masked_tokens: int
    untrained: str = ""


def against_base(store: Store, run: Run, step: int) -> AgainstBase | None:
    """The yardstick's word on the checkpoint at `step`; None where it was not scored."""
    score = next((one for one in store.yardsticks.of_run(run.id) if _is_of(one, step)), None)
    if score is None:
        return None
    base = next(
        (
            one
            for one in store.yardsticks.of_base(base_name(run.recipe, run.engine))
            if (one.protocol, one.text_fingerprint, one.masks_fingerprint)
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

    held = documents_of(Path(run.folder))
    before, after = Sheet.of(run, base, held), Sheet.of(run, score, held)
    if before.text != after.text:
        return None
    shared = common([before, after])
    if shared.chunks < _FEWEST_CHUNKS:
        return None
    kept = shared.kept.nonzero()[0]
    found = paired_bootstrap(
        before.losses[kept], after.losses[kept], after.tokens[kept], shared.documents[kept]
    )
    return verdict(found.log_ratio, found.low, found.high)
