"""A run that continues another one holds out the same rows, unless its recipe says otherwise."""

from __future__ import annotations

from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.store import Store

_RUN = "run:"


def keep_split(store: Store, recipe: Recipe) -> Recipe:
    """The recipe with the split of the run that it continues, where it sets none and reads the same text.

    Another split would test the model on documents that the earlier run was trained on.
    """
    if not recipe.model.startswith(_RUN) or recipe.split_seed is not None:
        return recipe
    try:
        earlier = store.find(recipe.model.partition("@")[0]).recipe
    except UsageError:  # what is wrong with the name is said where the model is looked for
        return recipe
    seed = earlier.seed_of_split
    if earlier.dataset != recipe.dataset or seed is None or seed == recipe.seed_of_split:
        return recipe
    return recipe.with_changes(split_seed=seed)
