"""Finds the fields in which the recipes of runs differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.store.past import IMPORTED

if TYPE_CHECKING:
    from workbench.store import Run
    from workbench.stored_recipe import StoredRecipe


def differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The recipe fields that differ between runs: one value per run, None if unknown.

    Unknown fields of imported runs do not count as differences.
    """
    recipes = [known_recipe(run) for run in runs]
    differing = {}
    for field in dict.fromkeys(field for recipe in recipes for field in recipe):
        values = [recipe[field] for recipe in recipes if field in recipe]
        if any(value != values[0] for value in values):
            differing[field] = [recipe.get(field) for recipe in recipes]
    return differing


def known_recipe(run: Run) -> StoredRecipe:
    """The known fields of a run's recipe. A run of an earlier version behaved as later fields' defaults
    say."""
    return run.recipe if is_imported(run) else run.recipe.filled()


def unknown_fields(runs: Sequence[Run]) -> list[str]:
    """A note for each imported run with unknown recipe fields."""
    fields = {field for run in runs for field in known_recipe(run)}
    return [
        f"Run {run.id} {run.name} was imported: {len(unknown)} fields of its recipe are unknown, "
        f"{', '.join(sorted(unknown)[:3])}{' and others' if len(unknown) > 3 else ''}."
        for run in runs
        if is_imported(run) and (unknown := fields - run.recipe.keys())
    ]


def is_imported(run: Run) -> bool:
    """Whether the run was trained by another program."""
    return IMPORTED in run.environment
