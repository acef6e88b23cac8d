"""How the recipes of runs differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.store.past import IMPORTED

if TYPE_CHECKING:
    from workbench.store import Run
    from workbench.stored_recipe import StoredRecipe


def differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The recipe fields that are not the same in all runs: one value per run, None where it has none.

    What an imported run does not tell is no difference.
    """
    recipes = [told(run) for run in runs]
    found = {}
    for field in dict.fromkeys(field for recipe in recipes for field in recipe):
        known = [recipe[field] for recipe in recipes if field in recipe]
        if any(value != known[0] for value in known):
            found[field] = [recipe.get(field) for recipe in recipes]
    return found


def told(run: Run) -> StoredRecipe:
    """What is known of a run's recipe: an earlier version did what the defaults of later fields say."""
    return run.recipe if is_imported(run) else run.recipe.filled()


def not_told(runs: Sequence[Run]) -> list[str]:
    """A sentence about each imported run of whose recipe something is not known."""
    fields = {field for run in runs for field in told(run)}
    return [
        f"Run {run.id} {run.name} was imported: of its recipe {len(unknown)} fields are not known, "
        f"{', '.join(sorted(unknown)[:3])}{' and others' if len(unknown) > 3 else ''}."
        for run in runs
        if is_imported(run) and (unknown := fields - run.recipe.keys())
    ]


def is_imported(run: Run) -> bool:
    """Whether another program trained it."""
    return IMPORTED in run.environment
