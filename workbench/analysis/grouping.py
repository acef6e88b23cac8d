"""Groups the runs of a recipe over its seeds, and compares the groups."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

from workbench.analysis.chunk_scores import ChunkScores, SharedChunks
from workbench.analysis.comparison import Group, GroupPair
from workbench.analysis.differences import known_recipe
from workbench.analysis.wording import group_verdict
from workbench.metrics import perplexity

Shared = Callable[[list[ChunkScores]], SharedChunks | None]


def compare_recipes(
    scores: list[ChunkScores], shared: Shared
) -> tuple[list[Group], list[GroupPair], list[str]]:
    """The groups, their pairs, and why pairs cannot be compared; empty unless a recipe has two seeds.

    `shared` returns the chunks that scores share, None if they are too few.
    """
    members: dict[str, list[ChunkScores]] = {}
    for member in scores:
        members.setdefault(_recipe_without_seed(member), []).append(member)
    if all(len(group) < 2 for group in members.values()):
        return [], [], []
    groups = list(members.values())
    labels = _labels(groups)
    described = [_group(label, group) for label, group in zip(labels, groups, strict=True)]
    pairs, why_not = [], []
    for a, b in combinations(range(len(groups)), 2):
        result = _pair(a, b, groups, shared)
        if isinstance(result, GroupPair):
            pairs.append(result)
        elif result:
            why_not.append(f"{labels[a]} and {labels[b]}: {result}")
    return described, pairs, why_not


def _pair(a: int, b: int, groups: list[list[ChunkScores]], shared: Shared) -> GroupPair | str:
    """The comparison of two groups, or the reason why there is none ("" if it is reported elsewhere)."""
    import numpy as np

    from workbench.analysis.seeds import compare_by_seed, compare_groups

    left, right = groups[a], groups[b]
    if len(left) < 2 and len(right) < 2:
        return ""
    if len({scores.text for scores in left + right}) == 1:
        both = shared(left + right)
        if both is None:
            return ""
        chunks = both.kept.nonzero()[0]
        estimate = compare_groups(
            np.stack([scores.losses[chunks] for scores in left]),
            np.stack([scores.losses[chunks] for scores in right]),
            left[0].tokens[chunks],
            both.documents[chunks],
        )
    else:
        ratios = []
        for first, second in zip(*_by_seed(left, right), strict=True):
            both = shared([first, second]) if first.text == second.text else None
            if both is None:
                continue
            chunks = both.kept.nonzero()[0]
            tokens = first.tokens[chunks].sum()
            ratios.append(float((second.losses[chunks] - first.losses[chunks]).sum() / tokens))
        if len(ratios) < 2:
            return "their seeds held out different documents, and they share fewer than two seeds."
        estimate = compare_by_seed(np.array(ratios))
    return GroupPair(
        a,
        b,
        estimate.log_ratio,
        estimate.low,
        estimate.high,
        estimate.p_value,
        estimate.p_seeds,
        group_verdict(estimate.log_ratio, estimate.low, estimate.high, estimate.p_seeds),
    )


def _by_seed(
    left: list[ChunkScores], right: list[ChunkScores]
) -> tuple[list[ChunkScores], list[ChunkScores]]:
    """The runs of the seeds that both groups have, in the same order."""
    of_left = {scores.run.recipe.seed: scores for scores in left}
    of_right = {scores.run.recipe.seed: scores for scores in right}
    seeds = [seed for seed in of_left if seed in of_right]
    return [of_left[seed] for seed in seeds], [of_right[seed] for seed in seeds]


def _group(label: str, members: list[ChunkScores]) -> Group:
    logs = [member.score.loss for member in members]
    mean = sum(logs) / len(logs)
    spread = None
    if len(logs) > 1:
        spread = math.sqrt(sum((log - mean) ** 2 for log in logs) / (len(logs) - 1))
    return Group(
        label=label,
        runs=[member.run_id for member in members],
        seeds=[int(member.run.recipe.seed or 0) for member in members],
        perplexity=perplexity(mean),
        spread=spread,
    )


def _recipe_without_seed(scores: ChunkScores) -> str:
    return json.dumps(known_recipe(scores.run).without_seeds(), sort_keys=True)


def _labels(groups: list[list[ChunkScores]]) -> list[str]:
    """The fields in which the groups differ, with their values; a single group has its first run's name."""
    recipes = [known_recipe(group[0].run).without_seeds() for group in groups]
    differing = [
        name for name in recipes[0] if any(recipe.get(name) != recipes[0][name] for recipe in recipes)
    ]
    if not differing:
        return [group[0].run.name for group in groups]
    return [", ".join(f"{name} {_shown(recipe.get(name))}" for name in differing) for recipe in recipes]


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
