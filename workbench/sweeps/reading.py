"""Parses lists and ranges: `64,128,256`, `1e-5..1e-3`, `--seeds 3`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.recipe_fields import FIELDS, SEEDS
from workbench.sweeps.plan import Plan, Pruner, Range

BETWEEN = ".."
MOST_SEEDS = 100


def read_plan(
    base: Recipe,
    typed: Mapping[str, str],
    *,
    seeds: str | None = None,
    trials: int = 0,
    pruner: Pruner = "median",
    parallel: int | None = None,
) -> Plan:
    """A plan from `typed`: field -> a value, a list or a range. Raises UsageError that names the field."""
    values, ranges, changes = {}, {}, {}
    for name, text in typed.items():
        if name in SEEDS and "," in text:
            raise UsageError(
                f"{name} cannot be swept.", f"Train every recipe with several seeds instead: --seeds {text}"
            )
        if _is_range(name, text):
            ranges[name] = read_range(name, text)
        elif len(several := read_values(name, text)) > 1:
            values[name] = several
        else:
            changes[name] = several[0]
    base = base.with_changes(**changes) if changes else base
    plan = Plan(base, values, read_seeds(seeds, base.seed), ranges, trials, pruner, parallel)
    if not plan.fields and len(plan.seed_list) < 2:
        raise UsageError(
            "There is nothing to sweep: every field has one value.",
            "Give a list, for example --chunk-size 64,128,256, or --seeds 3.",
        )
    if trials and not plan.fields:
        raise UsageError(
            "There is nothing to search.", "Give a range or a list, for example --lr 1e-5..1e-3."
        )
    if not trials:
        plan.recipes()  # fail now if a combination is invalid
    return plan


def read_values(name: str, text: str) -> tuple[Any, ...]:
    """The distinct values of a list, as the recipe holds them. Raises UsageError."""
    annotation: Any = Recipe.model_fields[name].annotation
    kind: TypeAdapter[Any] = TypeAdapter(annotation)
    values = []
    for part in text.split(","):
        part = part.strip()
        if not part and "," in text:
            raise UsageError(f"{name}: {text!r} has an empty value.", "Separate values with single commas.")
        try:
            values.append(None if not part and FIELDS[name].optional else kind.validate_python(part))
        except ValidationError:
            Recipe().with_changes(**{name: part})  # the error says what is allowed
            raise
    return tuple(dict.fromkeys(values))


def read_range(name: str, text: str) -> Range:
    """`low..high`. Raises UsageError."""
    low_text, _, high_text = text.partition(BETWEEN)
    try:
        low, high = float(low_text), float(high_text)
    except ValueError:
        raise UsageError(f"{name}: {text!r} is not a range.", "For example 1e-5..1e-3.") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"{name}: {text!r}: the first number of a range must be the lower one.")
    whole = FIELDS[name].is_whole
    for end in (low, high):
        recipe, problems = Recipe.check({**Recipe().model_dump(), name: int(end) if whole else end})
        if recipe is None and name in problems:
            raise UsageError(f"{name}: {problems[name]}.")
    return Range(low, high, whole)


def read_seeds(text: str | None, first: int) -> tuple[int, ...]:
    """`3`: three seeds from `first` on; `1,2,7`: these. Raises UsageError."""
    if not text:
        return ()
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            f"--seeds {text}: expected a number of seeds or a list.", "For example 3, or 1,2,7."
        ) from None
    if len(numbers) == 1:
        if not 1 <= numbers[0] <= MOST_SEEDS:
            raise UsageError(f"--seeds {text}: must be 1 to {MOST_SEEDS}.")
        return tuple(range(first, first + numbers[0]))
    return tuple(dict.fromkeys(numbers))


def read_more(text: str, first_seed: int) -> tuple[dict[str, tuple[Any, ...]], tuple[int, ...]]:
    """Parse what extends a grid, `mask_prob=0.2,0.4 seeds=5`: values by field, seeds. Raises UsageError."""
    values: dict[str, tuple[Any, ...]] = {}
    seeds: tuple[int, ...] = ()
    for word in text.split():
        name, equals, listed = word.partition("=")
        if name == "seeds" and listed:
            seeds = read_seeds(listed, first_seed)
        elif not equals or name not in Recipe.model_fields:
            raise UsageError(
                f"{word}: write FIELD=VALUES, with a field of the recipe.",
                "For example chunk_size=256,512 seeds=5",
            )
        elif name in SEEDS:
            raise UsageError(f"{name} cannot be swept.", f"For more seeds, write seeds={listed}")
        else:
            values[name] = read_values(name, listed)
    if not values and not seeds:
        raise UsageError("There is nothing to add.", "For example chunk_size=256,512 seeds=5")
    return values, seeds


def _is_range(name: str, text: str) -> bool:
    return BETWEEN in text and FIELDS[name].is_number
