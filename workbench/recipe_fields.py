"""What is known of each field of a recipe besides its value: everything that depends on a field asks here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from workbench.recipe import Affects, Recipe

SEEDS = frozenset({"seed", "split_seed"})
"""Fields that `--seeds` decides: one split for all, and a seed for each repetition."""


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One field of a recipe, as `knob` was told of it."""

    name: str
    default: Any
    help: str
    group: str
    unit: str
    affects: Affects
    named_by: str
    fallback: str


def _facts(name: str) -> FieldFacts:
    info = Recipe.model_fields[name]
    extra: Any = info.json_schema_extra
    return FieldFacts(
        name=name,
        default=info.default,
        help=info.description or "",
        group=extra["group"],
        unit=extra["unit"],
        affects=Affects(extra["affects"]),
        named_by=extra["named_by"],
        fallback=extra["fallback"],
    )


FIELDS = {name: _facts(name) for name in Recipe.model_fields}
"""Every field by its name, in the recipe's order."""


@cache
def fields_that(affects: Affects, *, all_of: bool = False) -> tuple[str, ...]:
    """The fields that decide any, or all, of `affects`."""
    return tuple(
        name
        for name, field in FIELDS.items()
        if (affects in field.affects if all_of else affects & field.affects)
    )


def deciding(recipe: Mapping[str, Any], affects: Affects, *not_named_by: str) -> dict[str, Any]:
    """What a recipe says in the fields that decide any of `affects`.

    A field that an earlier version did not know has its default, and one that is empty its fallback.
    not_named_by: without the fields that these stand for (see `knob`).
    """
    names = fields_that(affects)
    return {name: _value(recipe, name) for name in names if FIELDS[name].named_by not in not_named_by}


def agree(one: Mapping[str, Any], other: Mapping[str, Any], affects: Affects) -> bool:
    """Whether two recipes say the same in all that decides any of `affects`."""
    return all(_value(one, name) == _value(other, name) for name in fields_that(affects))


def _value(recipe: Mapping[str, Any], name: str) -> Any:
    field = FIELDS[name]
    value = recipe.get(name, field.default)
    return _value(recipe, field.fallback) if value is None and field.fallback else value
