"""Which recipe of a sweep is best, and which are behind it, all pairs considered at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.analysis.chunk_scores import (
    FEWEST_DOCUMENTS,
    ChunkScores,
    SharedChunks,
    same_test,
    shared_chunks,
)

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.05
_MANY = 60  # recipes, from which fewer resamples must do
Compared = dict[Hashable, Any]
"""What was worked out before, by the ids of the scores."""


@dataclass(frozen=True)
class Place:
    """How one recipe stands against the best one.

    log_ratio, with its interval that holds for all pairs at once, and p_value, corrected for all pairs: mean
    over documents of the difference of the mean losses to the best recipe's, in nats.
    """

    behind: bool
    log_ratio: float
    ci_low: float
    ci_high: float
    p_value: float


@dataclass(frozen=True)
class Ranking:
    """members: the places of the recipes that are ranked, in the caller's list. losses: the mean loss per
    asked token of each run of each member, over what all of them were asked. best: the member with the
    lowest.

    places: of the others. optimism: by how much the best one's loss is too low for having been chosen, in
    nats.
    """

    members: list[int]
    losses: dict[int, list[float]]
    best: int
    places: dict[int, Place]
    optimism: float
    documents: int


def rank(groups: Sequence[Sequence[ChunkScores]], known: Compared) -> Ranking | None:
    """Rank recipes, each with its runs' answers; None: fewer than two have enough text in common."""
    members = comparable(groups)
    if len(members) < 2:
        return None
    key = tuple(tuple(sheet.score.id for sheet in groups[index]) for index in members)
    if key not in known:
        known[key] = _ranked([groups[index] for index in members])
    found = known[key]
    if found is None:
        return None
    losses, best, places, optimism, documents = found
    return Ranking(
        members,
        dict(zip(members, losses, strict=True)),
        members[best],
        {members[index]: place for index, place in places.items()},
        optimism,
        documents,
    )


def comparable(groups: Sequence[Sequence[ChunkScores]]) -> list[int]:
    """The places of the recipes that are ranked: the most whose tests agree over a length of text, which must
    hold enough documents. A recipe without an answer is none of them.
    """
    lengths: dict[Hashable, ChunkScores] = {}
    for group in groups:
        for sheet in group:
            lengths.setdefault((sheet.questions, sheet.text), sheet)
    chosen: list[int] = []
    length = 0
    for shortest in lengths.values():
        members = [
            index
            for index, group in enumerate(groups)
            if group
            and all(scores.chunks >= shortest.chunks and same_test(shortest, scores) for scores in group)
        ]
        if (len(members), shortest.chunks) > (len(chosen), length) and _documents(
            shortest
        ) >= FEWEST_DOCUMENTS:
            chosen, length = members, shortest.chunks
    return chosen


def _documents(sheet: ChunkScores) -> int:
    return len(set(sheet.contents.tolist()))


def _ranked(groups: Sequence[Sequence[ChunkScores]]) -> Any:
    import numpy as np

    from workbench.analysis.family import all_pairs, optimism, seed_spread
    from workbench.analysis.seeds import by_document

    everyone = [sheet for group in groups for sheet in group]
    shared = shared_chunks(everyone)
    if shared.units < FEWEST_DOCUMENTS:
        return None
    documents, tokens = shared.documents[shared.kept], shared.tokens(everyone[0])
    of_documents = [
        by_document(np.stack([shared.losses(sheet) for sheet in group]), tokens, documents)
        for group in groups
    ]
    family = all_pairs(of_documents, resamples=500 if len(groups) > _MANY else 2_000)
    losses = [[shared.loss(sheet) for sheet in group] for group in groups]
    level = np.array([np.mean(one) for one in losses])
    best = int(level.argmin())
    places = {}
    for index in range(len(groups)):
        if index != best:
            ratio, p_value = float(family.difference[best, index]), float(family.p_value[best, index])
            reach = float(family.reach * family.error[best, index])
            behind = p_value < LEVEL and ratio > 0 and bool(family.beyond_seeds[best, index])
            places[index] = Place(behind, ratio, ratio - reach, ratio + reach, p_value)
    alike = [index for index in range(len(groups)) if index == best or not places[index].behind]
    contributions = _contributions(groups, shared, level)
    of_seeds = seed_spread(of_documents).variance
    too_low = optimism(level[alike], contributions[alike], of_seeds[alike], alike.index(best))
    return losses, best, places, too_low, shared.units


def _contributions(
    groups: Sequence[Sequence[ChunkScores]], shared: SharedChunks, level: np.ndarray
) -> np.ndarray:
    """What documents add to the recipes' mean losses per token: (recipes, documents)."""
    import numpy as np

    units = np.unique(shared.documents[shared.kept], return_inverse=True)[1]
    weight = np.bincount(units, shared.tokens(groups[0][0])).astype(np.float64)
    sums = np.stack(
        [np.bincount(units, np.mean([shared.losses(sheet) for sheet in group], axis=0)) for group in groups]
    )
    return np.asarray((sums - level[:, None] * weight) / weight.mean())
