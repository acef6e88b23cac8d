"""Queues the runs of a plan, and more of them later. The scheduler starts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.engines import control
from workbench.engines.jobs import MOST_RUNS_IN_A_JOB
from workbench.engines.place import Place
from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.status import PlaceEngine
from workbench.store import Run, Store, Sweep
from workbench.store.sweeps import PLACED, NewRun
from workbench.sweeps.plan import Plan, run_name
from workbench.worker.devices import gpus, processes_of
from workbench.worker.launch import new_folder, without_passwords
from workbench.worker.scheduler_liveness import ensure_scheduler
from workbench.worker.split_of_ancestor import keep_split

_RUN = "run:"


def start_sweep(
    store: Store,
    plan: Plan,
    name: str | None = None,
    *,
    tags: Sequence[str] = (),
    command: str = "",
    place: Place | None = None,
    processes: int | None = None,
) -> Sweep:
    """Queue a plan's runs behind those already waiting, and return at once.

    processes: that many train each run; on this machine a run waits until as many GPUs are free. A grid is
    queued whole; the scheduler adds a search's trials one by one. On a cluster a grid is one job, an array.
    Raises UsageError, StoreError.
    """
    plan = _resolved(store, plan)
    recipes = [] if plan.trials else plan.recipes()
    if place is not None and place.engine == PlaceEngine.WORK and plan.trials:
        raise UsageError(
            "A search cannot wait for `work`: it chooses a run by what others found.", "Use a grid."
        )
    if place is None or place.is_local:
        for recipe in recipes or [plan.base]:
            processes_of(recipe, processes, gpus())
    sweep = store.sweeps.add(
        name,
        plan.to_json(),
        lambda sweep_name: _named(sweep_name, plan, recipes),
        new_folder,
        trials=plan.trials,
        environment={"command": without_passwords(command), "working_folder": str(Path.cwd())},
        tags=tags,
        columns=control.columns_of(place, processes) if place and not place.is_local else None,
        processes=processes,
    )
    _submit(store, sweep, store.sweeps.runs(sweep.id))
    return sweep


def extend_sweep(
    store: Store,
    sweep: Sweep,
    values: Mapping[str, Sequence[Any]],
    seeds: Sequence[int] = (),
    trials: int = 0,
) -> list[Run]:
    """Queue the runs that further values and seeds add to a sweep; for a search, more trials.

    Returns the new runs. Trimmed runs that the plan still contains are queued again. Raises UsageError.
    """
    plan = Plan.from_json(sweep.plan)
    if plan.trials:
        if values or seeds or not trials:
            raise UsageError(f"Sweep {sweep.id} {sweep.name} is a search.", "Add trials with --trials N.")
        more = replace(plan, trials=plan.trials + trials)
        made = store.sweeps.extend(sweep.id, more.to_json(), [], new_folder, trials=trials)
    else:
        if trials:
            raise UsageError(f"Sweep {sweep.id} {sweep.name} is a grid.", "Add values, or --seeds.")
        more = _resolved(store, plan.with_more(values, seeds))
        queued = [run.recipe.filled() for run in store.sweeps.runs(sweep.id)]
        new = [recipe for recipe in more.recipes() if recipe.model_dump(mode="json") not in queued]
        made = store.sweeps.extend(sweep.id, more.to_json(), _named(sweep.name, more, new), new_folder)
    _submit(store, sweep, made)
    return made


def continue_sweep(store: Store, sweep_id: int) -> None:
    """Continue a paused sweep."""
    store.sweeps.pause(sweep_id, False)
    ensure_scheduler(store)


def _submit(store: Store, sweep: Sweep, runs: Sequence[Run]) -> None:
    """Submit new runs to their cluster, or let the scheduler start them here."""
    if PLACED in sweep.plan and sweep.plan[PLACED]["place_engine"] == PlaceEngine.SLURM:
        for start in range(0, len(runs), MOST_RUNS_IN_A_JOB):
            control.send(store, runs[start : start + MOST_RUNS_IN_A_JOB])
    ensure_scheduler(store)


def _named(sweep: str, plan: Plan, recipes: Sequence[Recipe]) -> list[NewRun]:
    return [NewRun(recipe, run_name(sweep, plan, recipe)) for recipe in recipes]


def _resolved(store: Store, plan: Plan) -> Plan:
    """The plan with `run:latest` replaced by the run that it means now."""

    def resolve(model: Any) -> Any:
        is_run = isinstance(model, str) and model.startswith(_RUN)
        return f"{_RUN}{store.find(model).id}" if is_run else model

    values = {
        name: tuple(map(resolve, options)) if name == "model" else tuple(options)
        for name, options in plan.values.items()
    }
    base = keep_split(store, plan.base.with_changes(model=resolve(plan.base.model)))
    return replace(plan, base=base, values=values)
