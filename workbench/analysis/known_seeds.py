"""What seeds alone do to recipes like those of two runs, from all runs that the store has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.analysis.differences import known_recipe

if TYPE_CHECKING:
    from workbench.analysis.chunk_scores import ChunkScores
    from workbench.store import Run, Store

_MOST_RUNS = 300


def recipe_without_seed(run: Run) -> str:
    """What runs of one recipe have in common."""
    return json.dumps(known_recipe(run).without_seeds(), sort_keys=True)


def seeds_alone(store: Store, a: ChunkScores, b: ChunkScores, token_ratio: float) -> float | None:
    """How often two seeds of the recipe of `a` or `b` differ by `token_ratio` or more, on the test of `a`.

    From the spread of the mean losses over the seeds of both recipes, as in a t-test. None: no seed was
    repeated.
    """
    from workbench.analysis.seeds import two_sided

    scored = a.score
    levels = store.yardsticks.levels(
        protocol=scored.protocol,
        text_fingerprint=scored.text_fingerprint,
        tokenizer_fingerprint=scored.tokenizer_fingerprint,
        masks_fingerprint=scored.masks_fingerprint,
    )
    wanted: dict[str, dict[int | None, float]] = {recipe_without_seed(one.run): {} for one in (a, b)}
    for run_id in sorted(levels)[-_MOST_RUNS:]:
        run = store.run(run_id)
        if (seeds := wanted.get(recipe_without_seed(run))) is not None:
            seeds[run.recipe.seed] = levels[run_id]
    squares, freedom = 0.0, 0
    for seeds in wanted.values():
        mean = sum(seeds.values()) / max(1, len(seeds))
        squares += sum((level - mean) ** 2 for level in seeds.values())
        freedom += max(0, len(seeds) - 1)
    if not freedom:
        return None
    return two_sided(token_ratio, (2 * squares / freedom) ** 0.5, freedom)
