"""Names of runs: chosen by a person, or made from the recipe."""

from __future__ import annotations

import re
from collections.abc import Collection

from workbench.errors import UsageError
from workbench.recipe import Recipe

LONGEST_NAME = 200
_LONGEST_SLUG = 60


def name_for(recipe: Recipe, wanted: str | None, taken: Collection[str]) -> tuple[str, str]:
    """The run's name, and the slug of it for its folder.

    Without a wanted name: data set and chunk size, with a number if another run has that. Raises UsageError.
    """
    if wanted is None:
        data = re.split(r"[/\\]", recipe.dataset.rstrip("/\\"))[-1] or "text"
        name = free_name(f"{data[:80]}-{recipe.chunk_size}", taken)
        return name, slug(name)
    name = checked(wanted)
    return name, slug(name)


def free_name(base: str, taken: Collection[str]) -> str:
    """`base`, with a number if it is taken."""
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def checked(wanted: str) -> str:
    """`wanted` without surrounding spaces. Raises UsageError for an invalid name."""
    name = wanted.strip()
    if not name:
        raise UsageError("A run's name must not be empty.")
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"A run's name may have at most {LONGEST_NAME} characters; this one has {len(name)}."
        )
    if any(not letter.isprintable() for letter in name):
        raise UsageError("A run's name must not contain control characters.")
    if name == "latest" or name.isdigit() or name.startswith("run:"):
        raise UsageError(f"A run cannot be called {name!r}: it would be taken for an id.")
    return name


def slug(name: str) -> str:
    """`name` as a part of a folder name: ASCII letters, digits, dots and dashes, never empty or hidden."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")
    return plain[:_LONGEST_SLUG] or "run"
