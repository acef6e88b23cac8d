"""Facts about each field of a recipe besides its value: everything that depends on a field uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from workbench.recipe import Affects, Recipe, as_stored
from workbench.recipe_wording import BOUNDS

SEEDS = frozenset({"seed", "split_seed"})
"""Fields that `--seeds` sets: one split for all runs, and a seed for each repetition."""


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One field of a recipe: the arguments of `knob`, and facts from its type.

    title: for display, such as `Chunk size`. choices: the allowed words; empty for a typed value. bounds: of
    a number, by pydantic's names (`ge`, `gt`, `le`, `lt`). optional: whether it may be empty.
    """

    name: str
    default: Any
    help: str
    group: str
    unit: str
    title: str
    flag: str
    short: str
    affects: Affects
    named_by: str
    fallback: str
    choices: tuple[str, ...]
    bounds: Mapping[str, float]
    is_number: bool
    is_whole: bool
    optional: bool

    @property
    def takes_list(self) -> bool:
        """Whether its field in the form accepts several values; seeds do not."""
        return not self.is_seed and (self.is_number or bool(self.choices))

    @property
    def is_seed(self) -> bool:
        return self.name in SEEDS

    @property
    def bounds_text(self) -> str:
        """The bounds of a number: `at least 8`, `above 0, below 1`; "" if there are none."""
        return ", ".join(f"{BOUNDS[key]} {limit:,.10g}" for key, limit in self.bounds.items())


def _facts(name: str) -> FieldFacts:
    info = Recipe.model_fields[name]
    extra: Any = info.json_schema_extra
    literal = get_origin(info.annotation) is Literal
    kinds = {str} if literal else {*(get_args(info.annotation) or (info.annotation,))}
    limits = {key: getattr(limit, key) for key in BOUNDS for limit in info.metadata if hasattr(limit, key)}
    return FieldFacts(
        name=name,
        default=info.default,
        help=info.description or "",
        group=extra["group"],
        unit=extra["unit"],
        title=extra["title"] or name.replace("_", " ").capitalize(),
        flag=extra["flag"],
        short=extra["short"] or name,
        affects=Affects(extra["affects"]),
        named_by=extra["named_by"],
        fallback=extra["fallback"],
        choices=get_args(info.annotation) if literal else (),
        bounds=limits,
        is_number=bool(kinds & {int, float}),
        is_whole=int in kinds and float not in kinds,
        optional=type(None) in kinds,
    )


FIELDS = {name: _facts(name) for name in Recipe.model_fields}
"""All fields by name, in the recipe's order."""


def as_text(value: Any) -> str:
    """A value as a user types it; None is the empty text."""
    if value is None:
        return ""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


@cache
def fields_that(affects: Affects, *, all_of: bool = False) -> tuple[str, ...]:
    """The fields that decide any, or all, of `affects`."""
    return tuple(
        name
        for name, field in FIELDS.items()
        if (affects in field.affects if all_of else affects & field.affects)
    )


def deciding(recipe: Mapping[str, Any], affects: Affects, *not_named_by: str) -> dict[str, Any]:
    """The recipe's values of the fields that decide any of `affects`.

    A field that an earlier version lacked has its default, and an empty one its fallback. not_named_by: skip
    the fields that these represent (see `knob`).
    """
    names, recipe = fields_that(affects), as_stored(recipe)
    return {name: _value(recipe, name) for name in names if FIELDS[name].named_by not in not_named_by}


def agree(a: Mapping[str, Any], b: Mapping[str, Any], affects: Affects) -> bool:
    """Whether two recipes agree in all fields that decide any of `affects`."""
    a, b = as_stored(a), as_stored(b)
    return all(_value(a, name) == _value(b, name) for name in fields_that(affects))


def _value(recipe: Mapping[str, Any], name: str) -> Any:
    field = FIELDS[name]
    value = recipe.get(name, field.default)
    return _value(recipe, field.fallback) if value is None and field.fallback else value
