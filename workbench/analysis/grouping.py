"""Groups the runs of a recipe over its seeds, and compares the groups."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

from workbench.analysis.chunk_scores import ChunkScores, SharedChunks, same_test
from workbench.analysis.comparison import Group, GroupPair
from workbench.analysis.differences import known_recipe
from workbench.analysis.known_seeds import recipe_without_seed
from workbench.analysis.wording import group_verdict, listed
from workbench.document_hashes import documents_of
from workbench.metrics import perplexity

Shared = Callable[[list[ChunkScores]], SharedChunks | None]


def compare_recipes(
    sheets: list[ChunkScores], shared: Shared
) -> tuple[list[Group], list[GroupPair], list[str]]:
    """The groups, their pairs, and why pairs cannot be compared; empty unless a recipe has two seeds.

    `shared` returns the chunks that scores share, None if they are too few.
    """
    members: dict[str, list[ChunkScores]] = {}
    sheets, why_not = one_for_each_seed(sheets)
    for sheet in sheets:
        members.setdefault(recipe_without_seed(sheet.run), []).append(sheet)
    if all(len(group) < 2 for group in members.values()):
        return [], [], why_not
    groups = list(members.values())
    labels = _labels(groups)
    described = [_group(label, group) for label, group in zip(labels, groups, strict=True)]
    pairs = []
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

    from workbench.analysis.seeds import by_document, compare_by_seed, compare_groups

    left, right = groups[a], groups[b]
    if len(left) < 2 and len(right) < 2:
        return ""
    everyone = left + right
    if all(same_test(everyone[0], sheet) for sheet in everyone):
        both = shared(everyone)
        if both is None:
            return ""
        comparison = compare_groups(
            np.stack([both.losses(sheet) for sheet in left]),
            np.stack([both.losses(sheet) for sheet in right]),
            both.tokens(left[0]),
            both.documents[both.kept],
        )
    else:
        ratios, shares = [], []
        for left_scores, other in zip(*_by_seed(left, right), strict=True):
            both = shared([left_scores, other]) if same_test(left_scores, other) else None
            if both is None:
                continue
            documents = both.documents[both.kept]
            losses = np.stack([both.losses(left_scores), both.losses(other)])
            means = by_document(losses, both.tokens(left_scores), documents).mean(axis=1)
            ratios.append(float(means[1] - means[0]))
            shares.append(_test_share(left_scores))
        if len(ratios) < 2:
            return "their seeds held out different documents, and fewer than two seeds are in both."
        known = [share for share in shares if share is not None]
        if len(known) < len(shares):
            return "their seeds held out different documents, and how many they trained on is not known."
        comparison = compare_by_seed(np.array(ratios), max(known))
    return GroupPair(
        a,
        b,
        comparison.log_ratio,
        comparison.low,
        comparison.high,
        comparison.p_value,
        comparison.p_seeds,
        group_verdict(comparison.log_ratio, comparison.low, comparison.high, comparison.p_seeds),
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


def one_for_each_seed(sheets: list[ChunkScores]) -> tuple[list[ChunkScores], list[str]]:
    """Of runs with equal recipe and seed the newest, for they are the same training; a note on the others."""
    newest: dict[tuple[str, int | None], list[ChunkScores]] = {}
    for sheet in sorted(sheets, key=lambda score: score.run_id):
        newest.setdefault((recipe_without_seed(sheet.run), sheet.run.recipe.seed), []).append(sheet)
    notes = [
        f"{listed([score.run_id for score in same]).capitalize()} have one recipe and one seed: "
        "they count as one run."
        for same in newest.values()
        if len(same) > 1
    ]
    kept = {same[-1].run_id for same in newest.values()}
    return [sheet for sheet in sheets if sheet.run_id in kept], notes


def _test_share(sheet: ChunkScores) -> float | None:
    """Documents of a run's test over those that it was trained on; None: not known."""
    held = documents_of(Path(sheet.run.folder))
    return None if held is None or not len(held.train) else len(held.test) / len(held.train)


def _labels(groups: list[list[ChunkScores]]) -> list[str]:
    """The fields in which the groups differ, with their values; a single group has its first run's name."""
    recipes = [known_recipe(group[0].run).without_seeds() for group in groups]
    telling = [name for name in recipes[0] if any(recipe.get(name) != recipes[0][name] for recipe in recipes)]
    if not telling:
        return [group[0].run.name for group in groups]
    return [", ".join(f"{name} {_shown(recipe.get(name))}" for name in telling) for recipe in recipes]


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
