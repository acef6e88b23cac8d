"""A search: Optuna proposes the next recipe from the results so far.

Only the runs are stored: the study is rebuilt from the store for each trial, so that a kill loses nothing and
results have one home.

It minimizes perplexity on the yardstick, one test for all runs: fields that change that test, the text, its
split or the tokenizer, cannot be searched. A run without a yardstick score counts by its own test only if no
swept field decides that test's questions; otherwise it counts as failed, since low mask probabilities or long
chunks would win with easier questions.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.recipe import Affects, Recipe
from workbench.recipe_fields import fields_that
from workbench.status import ACTIVE, Status
from workbench.store import Run, Store, Sweep
from workbench.store.sweeps import NewRun
from workbench.stored_recipe import StoredRecipe
from workbench.sweeps.plan import Plan, run_name
from workbench.worker.launch import new_folder

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

INSTALL = "Install it: pip install 'mlm-workbench[search]'"
_RANDOM_TRIALS = 5
_PROPOSALS = 100
"""Recipes that are asked for until one is valid and was not trained before."""


def check_installed() -> None:
    """Raise UsageError if Optuna is not installed."""
    if find_spec("optuna") is None:
        raise UsageError("A search needs Optuna, which is not installed.", INSTALL)


def ask(store: Store, sweep: Sweep) -> Run | None:
    """Queue the next trial of a search; None if none is left. Raises UsageError."""
    check_installed()
    plan = Plan.from_json(sweep.plan)
    runs = store.sweeps.runs(sweep.id)
    recipe = next_recipe(plan, runs)
    name = f"{sweep.name}-{run_name(str(len(runs) + 1), plan, recipe)}"[:200]
    return store.sweeps.take_trial(sweep.id, NewRun(recipe, name), new_folder)


def next_recipe(plan: Plan, runs: list[Run]) -> Recipe:
    """The recipe to try after these runs; deterministic for a plan and its runs. Raises UsageError."""
    study = study_of(plan, runs)
    problem = UsageError(
        "The search has tried every recipe that it can propose.",
        "Add values or seeds, or widen a range.",
    )
    known = [run.recipe.filled() for run in runs]
    first = len(runs) % len(plan.seed_list)
    seeds = (*plan.seed_list[first:], *plan.seed_list[:first])
    for _ in range(_PROPOSALS):
        trial = study.ask(distributions(plan))
        chosen = _typed(plan, trial.params)
        for seed in seeds:
            try:
                recipe = plan.recipe(chosen, seed)
            except UsageError as error:  # an invalid combination: propose another
                problem = error
                break
            if recipe.model_dump(mode="json") not in known:
                return recipe
        study.tell(trial, state=optuna_library().trial.TrialState.FAIL)
    untried = next(_untried(plan, known), None)
    if untried is not None:
        return untried
    raise problem


def _untried(plan: Plan, known: list[StoredRecipe]) -> Iterator[Recipe]:
    """The recipes of a search without ranges that were not trained yet."""
    if plan.ranges:
        return
    for chosen in itertools.product(*plan.values.values()):
        for seed in plan.seed_list:
            with contextlib.suppress(UsageError):
                recipe = plan.recipe(dict(zip(plan.values, chosen, strict=True)), seed)
                if recipe.model_dump(mode="json") not in known:
                    yield recipe


def study_of(plan: Plan, runs: list[Run]) -> optuna.Study:
    """The runs of a search as an Optuna study, its sampler seeded by their number."""
    optuna = optuna_library()
    sampler = optuna.samplers.TPESampler(
        seed=plan.seed_list[0] + len(runs),
        n_startup_trials=_RANDOM_TRIALS,
        constant_liar=True,  # do not propose a running trial again
    )
    study = optuna.create_study(direction="minimize", sampler=sampler)
    for run in runs:
        state, value = outcome(plan, run)
        space = distributions(plan)
        trial = optuna.trial.create_trial(
            state=optuna.trial.TrialState[state],
            value=value,
            params={name: _param(plan, name, run.recipe[name]) for name in space},
            distributions=space,
        )
        study.add_trial(trial)
    return study


def outcome(plan: Plan, run: Run) -> tuple[str, float | None]:
    """A run for Optuna: a trial state and the log perplexity to minimize."""
    if run.status in ACTIVE:
        return "RUNNING", None
    own_test_is_comparable = not {*fields_that(Affects.QUESTIONS)} & {*plan.fields}
    value = run.yardstick_perplexity
    if value is None and own_test_is_comparable:
        value = run.eval_perplexity
    if run.status == Status.FINISHED and value is not None and math.isfinite(value):
        return "COMPLETE", math.log(value)
    return ("PRUNED", None) if run.status == Status.STOPPED else ("FAIL", None)


def distributions(plan: Plan) -> dict[str, BaseDistribution]:
    """The search space: categories for a list, numbers for a range."""
    of = optuna_library().distributions
    space: dict[str, BaseDistribution] = {
        name: of.CategoricalDistribution(tuple(values)) for name, values in plan.values.items()
    }
    for name, limits in plan.ranges.items():
        if limits.whole:
            space[name] = of.IntDistribution(int(limits.low), int(limits.high), log=limits.log)
        else:
            space[name] = of.FloatDistribution(limits.low, limits.high, log=limits.log)
    return space


def _typed(plan: Plan, params: dict[str, Any]) -> dict[str, Any]:
    """The proposed values, with four significant digits so that they can be read and typed again."""
    chosen = dict(params)
    for name, limits in plan.ranges.items():
        if not limits.whole:
            chosen[name] = min(max(float(f"{chosen[name]:.4g}"), limits.low), limits.high)
    return chosen


def _param(plan: Plan, name: str, value: Any) -> Any:
    limits = plan.ranges.get(name)
    return value if limits is None else min(max(value, limits.low), limits.high)


def optuna_library() -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
