"""Starts what the form describes, on a thread so that no key waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from workbench.tui.screen import WorkbenchScreen
from workbench.tui.widgets.run_jobs import ids_of

if TYPE_CHECKING:
    from workbench.recipe import Recipe
    from workbench.sweeps.plan import Plan


def start_run(screen: WorkbenchScreen, recipe: Recipe, name: str | None, command: str) -> None:
    """Start a run and watch it, or show why it cannot start."""

    async def job() -> None:
        from workbench.worker import launch

        store = screen.workbench.store
        run = await asyncio.to_thread(launch.start, store, recipe, name=name, command=command)
        screen.tell(f"Run {run.id} “{run.name}” started. It continues when you quit.")
        screen.workbench.replace_with_live(ids_of([run])[0])

    screen.in_background(job)


def queue_sweep(screen: WorkbenchScreen, plan: Plan, name: str | None, command: str) -> None:
    """Queue a sweep and watch it, or show why it cannot be queued."""

    async def job() -> None:
        from workbench.sweeps.queueing import start_sweep

        made = await asyncio.to_thread(start_sweep, screen.workbench.store, plan, name, command=command)
        screen.tell(f"Sweep {made.id} “{made.name}”: queued {plan.count} runs. It continues when you quit.")
        screen.workbench.replace_with_sweep(made.id)

    screen.in_background(job)
