"""The command line that starts what the form describes."""

from __future__ import annotations

import shlex

from workbench.engines.place import HERE
from workbench.recipe import Recipe
from workbench.recipe_fields import FIELDS, as_text
from workbench.sweeps.plan import Plan


def command_of(
    recipe: Recipe,
    preset: str,
    base: Recipe,
    name: str | None,
    plan: Plan | None = None,
    place: str = HERE,
    processes: int | None = None,
) -> str:
    """The command that starts the same run, or queues the same sweep. `base`: the recipe of `preset`."""
    words = ["mlm-workbench", "sweep" if plan else "train", "--preset", preset]
    before = base.model_dump()
    for field, value in (plan.base if plan else recipe).model_dump().items():
        if plan and field in plan.values:
            text = ",".join(map(as_text, plan.values[field]))
        elif value != before[field]:
            text = as_text(value)
        else:
            continue
        flag = FIELDS[field].flag
        words += [flag, text] if flag else ["--set", f"{field}={text}"]
    if plan and len(plan.seed_list) > 1:
        first, count = plan.base.seed, len(plan.seed_list)
        in_order = plan.seed_list == tuple(range(first, first + count))
        words += ["--seeds", str(count) if in_order else ",".join(map(str, plan.seed_list))]
    words += ["--processes", str(processes)] if processes else []
    words += ["--on", place] if place != HERE else []
    return shlex.join([*words, "--name", name] if name else words)
