"""What can be done to a run, on a thread: no key waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from workbench.tui.screens.confirm import Confirm

if TYPE_CHECKING:
    from workbench.recipe import Recipe
    from workbench.store import Run
    from workbench.tui.screens.base import WorkbenchScreen


def start(screen: WorkbenchScreen, recipe: Recipe, name: str | None, command: str) -> None:
    """Start a run and watch it. Says at once when that cannot be."""

    async def job() -> None:
        from workbench.worker import launch

        store = screen.workbench.store
        run = await asyncio.to_thread(launch.start, store, recipe, name=name, command=command)
        screen.tell(f"Run {run.id} “{run.name}” started. It goes on when you leave.")
        screen.workbench.replace_with_live(_id(run))

    screen.in_background(job)


def stop(screen: WorkbenchScreen, run: Run) -> None:
    """Ask a run to stop. Nothing is lost by it, so nothing is asked."""

    async def job() -> None:
        from workbench.worker import launch

        await asyncio.to_thread(launch.stop, screen.workbench.store, _id(run))
        screen.tell(f"Stopping “{run.name}”: it keeps a checkpoint; r resumes it.")

    screen.in_background(job)


def resume(screen: WorkbenchScreen, run: Run) -> None:
    """Go on from the run's last checkpoint."""

    async def job() -> None:
        from workbench.worker import launch

        await asyncio.to_thread(launch.resume, screen.workbench.store, _id(run))
        screen.tell(f"“{run.name}” goes on.")

    screen.in_background(job)


def delete(screen: WorkbenchScreen, run: Run, then: Callable[[], None] | None = None) -> None:
    """Delete a run after asking: its checkpoints cannot be had back."""

    async def job() -> None:
        await asyncio.to_thread(screen.workbench.store.delete_run, _id(run))
        screen.tell(f"Run {run.id} “{run.name}” was deleted.")
        if then:
            then()

    def answered(yes: bool | None) -> None:
        if yes:
            screen.in_background(job)

    question = f"Delete run {run.id} “{run.name}”?"
    screen.app.push_screen(Confirm(question, "Its figures, checkpoints and log are gone for good."), answered)


def _id(run: Run) -> int:
    """The id, which every run that was read from the store has."""
    assert run.id is not None
    return run.id
