"""What can be done to a run from more than one screen. The work is done on a thread; no key waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.tui.screens.confirm import Confirm

if TYPE_CHECKING:
    from workbench.recipe import Recipe
    from workbench.store import Run
    from workbench.tui.screens.base import WorkbenchScreen


def _in_background(screen: WorkbenchScreen, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work`; what goes wrong that a person can act on becomes a toast."""

    async def guarded() -> None:
        try:
            await work()
        except WorkbenchError as error:
            screen.tell_error(error)
        screen.reload()

    screen.run_worker(guarded(), group="action")


def start(screen: WorkbenchScreen, recipe: Recipe, name: str | None, command: str) -> None:
    """Start a run and watch it. Says at once when that cannot be."""

    async def work() -> None:
        from workbench.worker import launch

        store = screen.workbench.store
        run = await asyncio.to_thread(launch.start, store, recipe, name=name, command=command)
        screen.tell(f"Run {run.id} “{run.name}” started. It goes on when you leave.")
        screen.workbench.replace_with_live(run.id)

    _in_background(screen, work)


def stop(screen: WorkbenchScreen, run: Run) -> None:
    """Ask a run to stop. Nothing is lost by it, so nothing is asked."""

    async def work() -> None:
        from workbench.worker import launch

        await asyncio.to_thread(launch.stop, screen.workbench.store, run.id)
        screen.tell(f"Stopping “{run.name}”: it keeps a checkpoint; r resumes it.")

    _in_background(screen, work)


def resume(screen: WorkbenchScreen, run: Run) -> None:
    """Go on from the run's last checkpoint."""

    async def work() -> None:
        from workbench.worker import launch

        await asyncio.to_thread(launch.resume, screen.workbench.store, run.id)
        screen.tell(f"“{run.name}” goes on.")

    _in_background(screen, work)


def delete(screen: WorkbenchScreen, run: Run, then: Callable[[], None] | None = None) -> None:
    """Delete a run after asking: its checkpoints cannot be had back."""

    async def work() -> None:
        await asyncio.to_thread(screen.workbench.store.delete_run, run.id)
        screen.tell(f"Run {run.id} “{run.name}” was deleted.")
        if then:
            then()

    def answered(yes: bool | None) -> None:
        if yes:
            _in_background(screen, work)

    question = f"Delete run {run.id} “{run.name}”?"
    screen.app.push_screen(Confirm(question, "Its figures, checkpoints and log are gone for good."), answered)
