"""The plan of a sweep: a recipe, fields with several values or ranges, and seeds. Pure data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any, Literal

from workbench.errors import UsageError
from workbench.recipe import Affects, Recipe, as_stored
from workbench.recipe_fields import FIELDS

MOST_RUNS = 1_000
Pruner = Literal["median", "hyperband", "none"]
_LOG_FROM = 10.0
"""A range whose ends differ by this factor or more is searched on a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    whole: bool = False

    @property
    def log(self) -> bool:
        """Whether the scale is logarithmic."""
        return self.low > 0 and self.high / self.low >= _LOG_FROM

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"


@dataclass(frozen=True, slots=True)
class Plan:
    """`values` make a grid over `base`; with `trials`, a search draws from values and `ranges`.

    Every recipe is trained with each of `seeds`, and all hold out the same rows as `base`.
    parallel: runs at once; None: as many as devices.
    """

    base: Recipe
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    trials: int = 0
    pruner: Pruner = "median"
    parallel: int | None = None

    def __post_init__(self) -> None:
        if self.ranges and not self.trials:
            name = next(iter(self.ranges))
            raise UsageError(
                f"{name} is a range, {self.ranges[name]}, but a grid needs values.",
                "List them with commas, or search the range with --search N.",
            )
        changing = [name for name in self.fields if Affects.TEXT in FIELDS[name].affects]
        changing = [name for name in changing if Affects.QUESTIONS in FIELDS[name].affects]
        if self.trials and changing:
            raise UsageError(
                f"A search cannot vary {changing[0]}: it changes the test, and the easiest test would win.",
                f"Set {changing[0]} to one value, or leave out --search and compare a grid of values.",
            )
        if not self.trials and self.count > MOST_RUNS:
            raise UsageError(
                f"The grid has {self.count:,} runs; the limit is {MOST_RUNS:,}.",
                "Search it instead with --search N.",
            )

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields with several values or a range, in the order of the command line."""
        return (*self.values, *self.ranges)

    @property
    def seed_list(self) -> tuple[int, ...]:
        return self.seeds or (self.base.seed,)

    @property
    def count(self) -> int:
        """Number of runs of the whole grid."""
        return math.prod(map(len, self.values.values())) * len(self.seed_list)

    def recipes(self) -> list[Recipe]:
        """The grid's recipes, seed by seed, so that every recipe has a result early. Raises UsageError."""
        return [
            self.recipe(dict(zip(self.values, chosen, strict=True)), seed)
            for seed in self.seed_list
            for chosen in itertools.product(*self.values.values())
        ]

    def recipe(self, chosen: Mapping[str, Any], seed: int) -> Recipe:
        """The recipe at one point of the plan. Raises UsageError if the values do not fit together."""
        try:
            return self.base.with_changes(**{**chosen, "seed": seed, "split_seed": self.base.seed_of_split})
        except UsageError as error:
            point = ", ".join(f"{name} {shown(value)}" for name, value in chosen.items())
            raise UsageError(f"At {point}: {error.message}", error.hint) from error

    def with_more(self, values: Mapping[str, Sequence[Any]], seeds: Sequence[int]) -> Plan:
        """The plan with more values (a new field keeps the value of `base` too) and seeds."""
        extended = dict(self.values)
        for name, added in values.items():
            present = extended.get(name, (getattr(self.base, name),))
            extended[name] = tuple(dict.fromkeys((*present, *added)))
        return replace(self, values=extended, seeds=tuple(dict.fromkeys((*self.seed_list, *seeds))))

    def to_json(self) -> dict[str, Any]:
        """JSON values, for the store."""
        return {
            "base": self.base.model_dump(mode="json"),
            "values": {name: list(values) for name, values in self.values.items()},
            "seeds": list(self.seed_list),
            "ranges": {name: [limits.low, limits.high, limits.whole] for name, limits in self.ranges.items()},
            "trials": self.trials,
            "pruner": self.pruner,
            "parallel": self.parallel,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Plan:
        """A plan from `to_json`."""
        return cls(
            base=Recipe.parse(as_stored(stored["base"])),
            values={name: tuple(values) for name, values in stored["values"].items()},
            seeds=tuple(stored["seeds"]),
            ranges={name: Range(*ends) for name, ends in stored["ranges"].items()},
            trials=stored["trials"],
            pruner=stored["pruner"],
            parallel=stored["parallel"],
        )


def run_name(sweep: str, plan: Plan, recipe: Recipe) -> str:
    """A run's name: the sweep's name and the swept values."""
    parts = [f"{FIELDS[name].short}{_plain(getattr(recipe, name))}" for name in plan.fields]
    if len(plan.seed_list) > 1:
        parts.append(f"seed{recipe.seed}")
    return "-".join([sweep, *parts])[:200]


def shown(value: Any) -> str:
    """A value for display."""
    if value is None:
        return "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> str:
    return PurePath(value).stem if isinstance(value, str) and "/" in value else shown(value)
