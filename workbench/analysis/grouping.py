"""Recipes that were run with several seeds, as groups, and which recipe is better."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

from workbench.analysis.chunk_scores import Common, Sheet
from workbench.analysis.comparison import Group, GroupPair
from workbench.analysis.differences import told
from workbench.analysis.wording import group_verdict
from workbench.metrics import perplexity

Shared = Callable[[list[Sheet]], Common | None]


def compare_recipes(sheets: list[Sheet], shared: Shared) -> tuple[list[Group], list[GroupPair], list[str]]:
    """Groups, their pairs, and why two of them cannot be compared; empty unless a recipe has two seeds.

    `shared` tells what sheets have in common, None where it is too little.
    """
    members: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        members.setdefault(_recipe_without_seed(sheet), []).append(sheet)
    if all(len(group) < 2 for group in members.values()):
        return [], [], []
    groups = list(members.values())
    labels = _labels(groups)
    described = [_group(label, group) for label, group in zip(labels, groups, strict=True)]
    pairs, why_not = [], []
    for a, b in combinations(range(len(groups)), 2):
        found = _pair(a, b, groups, shared)
        if isinstance(found, GroupPair):
            pairs.append(found)
        elif found:
            why_not.append(f"{labels[a]} and {labels[b]}: {found}")
    return described, pairs, why_not


def _pair(a: int, b: int, groups: list[list[Sheet]], shared: Shared) -> GroupPair | str:
    """Two groups compared, or the reason why they are not ("" when it is told already)."""
    import numpy as np

    from workbench.analysis.seeds import compare_by_seed, compare_groups

    left, right = groups[a], groups[b]
    if len(left) < 2 and len(right) < 2:
        return ""
    if len({sheet.text for sheet in left + right}) == 1:
        both = shared(left + right)
        if both is None:
            return ""
        chunks = both.kept.nonzero()[0]
        found = compare_groups(
            np.stack([sheet.losses[chunks] for sheet in left]),
            np.stack([sheet.losses[chunks] for sheet in right]),
            left[0].tokens[chunks],
            both.documents[chunks],
        )
    else:
        ratios = []
        for one, other in zip(*_by_seed(left, right), strict=True):
            both = shared([one, other]) if one.text == other.text else None
            if both is None:
                continue
            chunks = both.kept.nonzero()[0]
            tokens = one.tokens[chunks].sum()
            ratios.append(float((other.losses[chunks] - one.losses[chunks]).sum() / tokens))
        if len(ratios) < 2:
            return "their seeds held out different documents, and fewer than two seeds are in both."
        found = compare_by_seed(np.array(ratios))
    return GroupPair(
        a,
        b,
        found.log_ratio,
        found.low,
        found.high,
        found.p_value,
        found.p_seeds,
        group_verdict(found.log_ratio, found.low, found.high, found.p_seeds),
    )


def _by_seed(left: list[Sheet], right: list[Sheet]) -> tuple[list[Sheet], list[Sheet]]:
    """The runs of the seeds that both groups have, in the same order."""
    of_left = {sheet.run.recipe.seed: sheet for sheet in left}
    of_right = {sheet.run.recipe.seed: sheet for sheet in right}
    seeds = [seed for seed in of_left if seed in of_right]
    return [of_left[seed] for seed in seeds], [of_right[seed] for seed in seeds]


def _group(label: str, sheets: list[Sheet]) -> Group:
    logs = [sheet.score.loss for sheet in sheets]
    mean = sum(logs) / len(logs)
    spread = None
    if len(logs) > 1:
        spread = math.sqrt(sum((one - mean) ** 2 for one in logs) / (len(logs) - 1))
    return Group(
        label=label,
        runs=[sheet.run_id for sheet in sheets],
        seeds=[int(sheet.run.recipe.seed or 0) for sheet in sheets],
        perplexity=perplexity(mean),
        spread=spread,
    )


def _recipe_without_seed(sheet: Sheet) -> str:
    return json.dumps(told(sheet.run).without_seeds(), sort_keys=True)


def _labels(groups: list[list[Sheet]]) -> list[str]:
    """What tells the groups apart; a single group by the name of its first run."""
    recipes = [told(group[0].run).without_seeds() for group in groups]
    telling = [name for name in recipes[0] if any(recipe.get(name) != recipes[0][name] for recipe in recipes)]
    if not telling:
        return [group[0].run.name for group in groups]
    return [", ".join(f"{name} {_shown(recipe.get(name))}" for name in telling) for recipe in recipes]


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
