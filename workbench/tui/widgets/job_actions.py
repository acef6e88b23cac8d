"""Actions on jobs of a cluster, done on a thread: a command of Slurm may take seconds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.status import ACTIVE, PlaceEngine, Status
from workbench.tui.widgets.confirm import Confirm
from workbench.tui.widgets.run_jobs import Named, ids_of
from workbench.tui.widgets.text_page import TextPage

if TYPE_CHECKING:
    from workbench.display.where import Placed
    from workbench.tui.screen import WorkbenchScreen


def can(action: str, run: Placed) -> bool:
    """Whether `cancel`, `requeue` or `script` is possible for this run."""
    if run.place_engine != PlaceEngine.SLURM:
        return False
    if action == "script":
        return True
    if run.job is None:
        return False
    return run.status == Status.RUNNING if action == "requeue" else run.status in ACTIVE


def cancel(screen: WorkbenchScreen, *runs: Named) -> None:
    """End jobs at once, after asking."""

    async def job() -> None:
        from workbench.engines import control

        for run_id in ids_of(runs):
            await asyncio.to_thread(control.cancel, screen.workbench.store, run_id)
        what = f"the job of “{runs[0].name}”" if len(runs) == 1 else f"{len(runs)} jobs"
        screen.tell(f"Cancelled {what}; r submits again, from the last checkpoint.")

    def answered(yes: bool | None) -> None:
        if yes:
            screen.in_background(job, ids_of(runs))

    what = f"the job of run {runs[0].id} “{runs[0].name}”" if len(runs) == 1 else f"{len(runs)} jobs"
    consequence = "What was learnt since the last checkpoint is lost; x saves one first."
    screen.app.push_screen(Confirm(f"Cancel {what}?", consequence), answered)


def requeue(screen: WorkbenchScreen, *runs: Named) -> None:
    """Put running jobs back into the queue."""

    async def job() -> None:
        from workbench.engines import control

        for run_id in ids_of(runs):
            await asyncio.to_thread(control.requeue, screen.workbench.store, run_id)
        what = f"“{runs[0].name}” is" if len(runs) == 1 else f"{len(runs)} jobs are"
        screen.tell(f"{what} back in the queue and will continue from a checkpoint.")

    screen.in_background(job, ids_of(runs))


def show_script(screen: WorkbenchScreen, run: Named) -> None:
    """Show the script that a run's job runs."""

    async def job() -> None:
        title, text = await asyncio.to_thread(_script, screen, run.id)
        screen.app.push_screen(TextPage(title, text))

    screen.in_background(job)


def _script(screen: WorkbenchScreen, run_id: int) -> tuple[str, str]:
    from workbench.engines.jobs import script_file, script_of

    store = screen.workbench.store
    run = store.run(run_id)
    file = script_file(store, run)
    if file is None:
        return f"The script of run {run_id}, not written yet", script_of(run)
    return str(file), Path(file).read_text(encoding="utf-8", errors="replace")
