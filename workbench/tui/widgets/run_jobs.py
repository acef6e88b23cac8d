"""Actions on runs, done on a thread so that no key waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from workbench.status import ACTIVE
from workbench.tui.widgets.confirm import Confirm

if TYPE_CHECKING:
    from workbench.tui.screen import WorkbenchScreen


class Named(Protocol):
    """A run as a list or a screen knows it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...


def stop(screen: WorkbenchScreen, *runs: Named) -> None:
    """Ask runs to stop. It needs no confirmation, since nothing is lost."""

    async def job() -> None:
        from workbench.engines import control

        for run_id in ids_of(runs):
            await asyncio.to_thread(control.stop, screen.workbench.store, run_id)
        if len(runs) == 1:
            screen.tell(f"Stopping “{runs[0].name}” after saving a checkpoint; r resumes it.")
        else:
            screen.tell(f"Stopping {len(runs)} runs after saving checkpoints; r resumes them.")

    screen.in_background(job, ids_of(runs))


def resume(screen: WorkbenchScreen, *runs: Named) -> None:
    """Continue runs from their last checkpoints."""

    async def job() -> None:
        from workbench.engines import control

        for run_id in ids_of(runs):
            await asyncio.to_thread(control.resume, screen.workbench.store, run_id)
        screen.tell(f"Resuming “{runs[0].name}”." if len(runs) == 1 else f"Resuming {len(runs)} runs.")

    screen.in_background(job, ids_of(runs))


def delete(screen: WorkbenchScreen, run: Named, then: Callable[[], None] | None = None) -> None:
    """Delete one run after asking, then call `then`."""
    delete_all(screen, [run], then)


def delete_all(
    screen: WorkbenchScreen, runs: Sequence[Named], then: Callable[[], None] | None = None
) -> None:
    """Delete runs after asking; active runs are kept. It can be undone until the program ends."""
    wanted = [run for run in runs if run.status not in ACTIVE]
    staying = len(runs) - len(wanted)
    if not wanted:
        subject = f"“{runs[0].name}” is {runs[0].status}" if len(runs) == 1 else "All of them are active"
        screen.tell(f"{subject}: stop with x before deleting.", warning=True)
        return

    async def job() -> None:
        store = screen.workbench.store
        gone = await asyncio.to_thread(store.catalog.delete, ids_of(wanted))
        screen.workbench.deleted.append(gone)
        what = f"Run {gone[0]} “{wanted[0].name}” is" if len(gone) == 1 else f"{len(gone)} runs are"
        screen.tell(f"{what} deleted; u in the list undoes it until you quit.")
        if then:
            then()

    def answered(yes: bool | None) -> None:
        if yes:
            screen.in_background(job, ids_of(wanted))

    question = f"Delete run {wanted[0].id} “{wanted[0].name}”?" if len(wanted) == 1 else ""
    question = question or f"Delete {len(wanted)} runs?"
    rest = f" {staying} active {'run is' if staying == 1 else 'runs are'} kept." if staying else ""
    consequence = f"Metrics, checkpoints and logs are deleted when you quit; u undoes until then.{rest}"
    screen.app.push_screen(Confirm(question, consequence), answered)


def undo_delete(screen: WorkbenchScreen) -> None:
    """Restore the runs deleted last."""
    if not screen.workbench.deleted:
        screen.tell("There is no deletion to undo.")
        return
    gone = screen.workbench.deleted.pop()

    async def job() -> None:
        back = await asyncio.to_thread(screen.workbench.store.catalog.restore, gone)
        if back == len(gone):
            screen.tell("The run is restored." if back == 1 else f"{back} runs are restored.")
        else:
            lost = len(gone) - back
            screen.tell(f"{lost} of them are gone: another workbench purged them.", warning=True)

    screen.in_background(job, gone)


def edit(
    screen: WorkbenchScreen, change: Callable[..., Any], *arguments: Any, runs: Sequence[Named], said: str
) -> None:
    """Apply a change of `store.catalog` to these runs on a thread, then tell `said`."""

    async def job() -> None:
        await asyncio.to_thread(change, *arguments)
        screen.tell(said)

    screen.in_background(job, ids_of(runs))


def ids_of(runs: Collection[Named]) -> list[int]:
    """The runs' ids."""
    return [run.id for run in runs]
