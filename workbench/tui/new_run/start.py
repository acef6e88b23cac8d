"""Starts what the form describes, on a thread so that no key waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from workbench.tui.screen import WorkbenchScreen
from workbench.tui.widgets.run_jobs import ids_of

if TYPE_CHECKING:
    from workbench.engines.place import Place
    from workbench.recipe import Recipe
    from workbench.sweeps.plan import Plan


def start_run(
    screen: WorkbenchScreen,
    recipe: Recipe,
    name: str | None,
    command: str,
    place: Place,
    processes: int | None = None,
) -> None:
    """Start a run and watch it, or show why it cannot start."""

    async def job() -> None:
        from workbench.engines import control

        store = screen.workbench.store
        run = await asyncio.to_thread(
            control.start, store, recipe, place, name=name, command=command, processes=processes
        )
        how = "started" if place.is_local else f"is being submitted to {place.name}"
        screen.tell(f"Run {run.id} “{run.name}” {how}. It continues when you quit.")
        screen.workbench.replace_with_live(ids_of([run])[0])

    screen.in_background(job)


def queue_sweep(
    screen: WorkbenchScreen,
    plan: Plan,
    name: str | None,
    command: str,
    place: Place,
    processes: int | None = None,
) -> None:
    """Queue a sweep and watch it, or show why it cannot be queued."""

    async def job() -> None:
        from workbench.sweeps.queueing import start_sweep

        store = screen.workbench.store
        made = await asyncio.to_thread(
            start_sweep, store, plan, name, command=command, place=place, processes=processes
        )
        screen.tell(f"Sweep {made.id} “{made.name}”: queued {plan.count} runs. It continues when you quit.")
        screen.workbench.replace_with_sweep(made.id)

    screen.in_background(job)
