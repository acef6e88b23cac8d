"""`--set FIELD=VALUE`: any field of a recipe, on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from workbench.errors import UsageError


def changes_of(settings: Iterable[str]) -> dict[str, Any]:
    """Field -> value as it was typed. Raises UsageError: no `=`, or no such field."""
    from workbench.recipe import Recipe

    changes: dict[str, Any] = {}
    for setting in settings:
        field, equals, value = setting.partition("=")
        field = field.strip().replace("-", "_")
        if not equals:
            raise UsageError(
                f"--set {setting}: a field and its value are needed.", "For example max_steps=100."
            )
        if field not in Recipe.model_fields:
            near = difflib.get_close_matches(field, Recipe.model_fields, 3)
            hint = (
                f"Did you mean {' or '.join(near)}?" if near else f"Fields: {', '.join(Recipe.model_fields)}."
            )
            raise UsageError(f"--set {setting}: a recipe has no field {field}.", hint)
        changes[field] = value.strip()
    return changes
