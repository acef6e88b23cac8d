"""What is known of each field of a recipe besides its value: everything that depends on a field asks here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from workbench.recipe import Affects, Recipe, as_stored
from workbench.recipe_wording import BOUNDS

SEEDS = frozenset({"seed", "split_seed"})
"""Fields that `--seeds` decides: one split for all, and a seed for each repetition."""


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One field of a recipe, as `knob` was told of it and as its type says.

    title: for a person, `Chunk size`. choices: the words it is chosen from, or none where it is typed.
    bounds: of a number, by pydantic's names (`ge`, `gt`, `le`, `lt`). optional: it may be empty.
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
        """Whether several values may be typed into its field of a form: not the seeds of a recipe."""
        return not self.is_seed and (self.is_number or bool(self.choices))

    @property
    def is_seed(self) -> bool:
        return self.name in SEEDS

    @property
    def bounds_text(self) -> str:
        """What a number may be: `at least 8`, `above 0, below 1`; "" where it may be anything."""
        return ", ".join(f"{BOUNDS[key]} {limit:,.10g}" for key, limit in self.bounds.items())


def _facts(name: str) -> FieldFacts:
    info = Recipe.model_fields[name]
    extra: Any = info.json_schema_extra
    literal = get_origin(info.annotation) is Literal
    kinds = {str} if literal else {*(get_args(info.annotation) or (info.annotation,))}
    limits = {key: getattr(one, key) for key in BOUNDS for one in info.metadata if hasattr(one, key)}
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
"""Every field by its name, in the recipe's order."""


def as_text(value: Any) -> str:
    """A value as it is typed; None is the empty text."""
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
    """What a recipe says in the fields that decide any of `affects`.

    A field that an earlier version did not know has its default, and one that is empty its fallback.
    not_named_by: without the fields that these stand for (see `knob`).
    """
    names, recipe = fields_that(affects), as_stored(recipe)
    return {name: _value(recipe, name) for name in names if FIELDS[name].named_by not in not_named_by}


def agree(one: Mapping[str, Any], other: Mapping[str, Any], affects: Affects) -> bool:
    """Whether two recipes say the same in all that decides any of `affects`."""
    one, other = as_stored(one), as_stored(other)
    return all(_value(one, name) == _value(other, name) for name in fields_that(affects))


def _value(recipe: Mapping[str, Any], name: str) -> Any:
    field = FIELDS[name]
    value = recipe.get(name, field.default)
    return _value(recipe, field.fallback) if value is None and field.fallback else value
