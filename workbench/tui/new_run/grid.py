"""Forms whose fields hold lists: the grid of runs, its problems and its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.display import numbers
from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.recipe_fields import FIELDS
from workbench.sweeps.plan import Plan
from workbench.sweeps.reading import read_seeds, read_values
from workbench.tui.new_run.cost import PastRun, estimate

SEEDS_FIELD = "seeds"
"""The form's one field that is not the recipe's: how many seeds, or which."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The parsed form: `recipe` with the first value of each list, and the plan if there are lists or several
    seeds. problems: by field."""

    recipe: Recipe | None
    plan: Plan | None = None
    problems: dict[str, str] = field(default_factory=dict)


def read_form(values: Mapping[str, Any], seeds: str) -> Typed:
    """Read the fields. Whether the values of a grid fit together is left to `check_grid`, which is slower."""
    several: dict[str, tuple[Any, ...]] = {}
    problems: dict[str, str] = {}
    single = dict(values)
    for name, text in values.items():
        if isinstance(text, str) and "," in text and FIELDS[name].takes_list:
            try:
                listed = read_values(name, text)
            except UsageError as error:
                problems[name] = _at_field(name, error)
                single[name] = FIELDS[name].default
                continue
            single[name] = listed[0]
            problems |= _wrong(name, listed)
            if len(listed) > 1:
                several[name] = listed
    recipe, others = Recipe.check(single)
    problems = {**others, **problems}
    chosen: tuple[int, ...] = ()
    try:
        chosen = read_seeds(seeds.replace(" ", ""), recipe.seed if recipe else 0)
    except UsageError as error:
        problems[SEEDS_FIELD] = f"{error.message.replace('--seeds ', '')} {error.hint or ''}".strip()
    if recipe is None or problems:
        return Typed(None, problems=problems)
    if not several and len(chosen) < 2:
        only = recipe.with_changes(seed=chosen[0]) if chosen else recipe
        return Typed(only)
    try:
        return Typed(recipe, Plan(recipe, several, chosen))
    except UsageError as error:
        return Typed(None, problems={next(iter(several), SEEDS_FIELD): error.message})


def _wrong(name: str, listed: Sequence[Any]) -> dict[str, str]:
    """The problem of one value by itself."""
    for value in listed:
        _, problems = Recipe.check({**Recipe().model_dump(), name: value})
        if name in problems:
            return {name: problems[name]}
    return {}


def _at_field(name: str, error: UsageError) -> str:
    return error.message.removeprefix("The recipe cannot be used. ").removeprefix(f"{name}: ").rstrip(".")


def grid_lines(plan: Plan, past: Sequence[PastRun], host: str, places: int) -> list[str]:
    """Two lines: the number of runs and steps, and their time, `places` at once. Raises UsageError if values
    do not fit together."""
    cells = len(plan.recipes()) // len(plan.seed_list)
    costs = [estimate(recipe, past, host) for recipe in plan.recipes()[:cells]]
    seeds = len(plan.seed_list)
    first = f"{numbers.count(plan.count)} runs: {numbers.count(cells)} recipe{'' if cells == 1 else 's'}"
    first += f" x {seeds} seeds" if seeds > 1 else ""
    if any(cost.too_short for cost in costs):
        return [first, "Not enough text for one chunk in some of them, which would fail."]
    steps = [cost.steps for cost in costs if cost.steps is not None]
    if len(steps) == len(costs):
        first += f", {numbers.count(seeds * sum(steps))} steps"
    else:
        first += "; steps: unknown, F2 counts the text"
    seconds = [cost.seconds for cost in costs if cost.seconds is not None]
    if len(seconds) < len(costs):
        return [first, "Time: unknown; no run like these was measured on this machine."]
    at_once = f"{places} at once" if places > 1 else "one after another"
    minutes = numbers.duration(seeds * sum(seconds) / places)
    return [first, f"Training about {minutes}, {at_once}, as fast as past runs here"]
