"""Actions on sweeps, done on a thread so that no key waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.status import SweepState
from workbench.text import printable
from workbench.tui.widgets.ask_line import AskLine
from workbench.tui.widgets.confirm import Confirm

if TYPE_CHECKING:
    from workbench.analysis.sweep_table import SweepTable
    from workbench.tui.screen import WorkbenchScreen

ENDINGS = "The file name's ending decides the format: .csv .json .md or .svg."


def pause(screen: WorkbenchScreen, sweep_id: int, name: str, state: str) -> None:
    """Pause a sweep, or continue it."""

    async def job() -> None:
        from workbench.sweeps.queueing import continue_sweep

        store = screen.workbench.store
        if state == SweepState.PAUSED:
            await asyncio.to_thread(continue_sweep, store, sweep_id)
            screen.tell(f"Continuing “{name}”.")
        else:
            await asyncio.to_thread(store.sweeps.pause, sweep_id, True)
            screen.tell(f"“{name}” is paused; running runs finish. p continues it.")

    if state == SweepState.DONE:
        screen.tell(f"“{name}” is done. e queues more runs.", warning=True)
    else:
        screen.in_background(job)


def trim(
    screen: WorkbenchScreen, sweep_id: int, what: str, count: int, run_ids: Collection[int] | None = None
) -> None:
    """Drop waiting runs, after asking. None: all of the sweep's, and its remaining trials."""
    if not count:
        screen.tell(f"No run of {what} is waiting.", warning=True)
        return

    async def job() -> None:
        dropped = await asyncio.to_thread(screen.workbench.store.sweeps.trim, sweep_id, run_ids)
        screen.tell(f"Dropped {dropped} run{'' if dropped == 1 else 's'}.")

    def answered(yes: bool | None) -> None:
        if yes:
            screen.in_background(job, run_ids or ())

    question = f"Drop {count} waiting run{'' if count == 1 else 's'} of {what}?"
    screen.app.push_screen(Confirm(question, "Running and finished runs are kept."), answered)


def extend(screen: WorkbenchScreen, sweep_id: int, name: str, *, search: bool) -> None:
    """Ask for more values, seeds or trials, and queue their runs."""

    def change(text: str) -> int:
        from workbench.sweeps.plan import Plan
        from workbench.sweeps.queueing import extend_sweep
        from workbench.sweeps.reading import read_more

        store = screen.workbench.store
        sweep = store.sweeps.sweep(sweep_id)
        if search:
            if not text.isdecimal() or not int(text):
                raise UsageError(f"{text!r} is not a number of trials.", "For example 10.")
            extend_sweep(store, sweep, {}, (), int(text))
            return int(text)
        values, seeds = read_more(text, Plan.from_json(sweep.plan).seed_list[0])
        return len(extend_sweep(store, sweep, values, seeds))

    async def job(text: str) -> None:
        count = await asyncio.to_thread(change, text)
        screen.tell(f"Queued {count} more run{'' if count == 1 else 's'}.")

    def answered(text: str | None) -> None:
        if text is not None and text.strip():
            screen.in_background(lambda: job(text.strip()))

    if search:
        question = f"How many more trials of “{name}”?"
        hint = "A number. The search learns from all earlier trials."
    else:
        question = f"More of “{name}”"
        hint = "Values and seeds, for example: chunk_size=256,512 mask_prob=0.4 seeds=5 (five in all)"
    screen.app.push_screen(AskLine(question, "", hint), answered)


def move(screen: WorkbenchScreen, what: str, run_ids: Collection[int], by: int) -> None:
    """Move the waiting ones of these runs up or down in the queue."""
    _move(screen, what, lambda: run_ids, by, whole_sweeps=False)


def move_sweep(screen: WorkbenchScreen, sweep_id: int, what: str, by: int) -> None:
    """Move a sweep's waiting runs before the previous sweep's, or after the next one's."""
    lines = screen.workbench.store.sweeps.lines
    _move(screen, what, lambda: [run.id for run in lines.runs(sweep_id)], by, whole_sweeps=True)


def _move(
    screen: WorkbenchScreen, what: str, run_ids: Callable[[], Collection[int]], by: int, *, whole_sweeps: bool
) -> None:
    def change() -> str:
        from workbench.sweeps.ordering import move_by

        store = screen.workbench.store
        waiting = set(run_ids()) & store.sweeps.lines.queue().keys()
        if not waiting:
            return f"No run of {what} is waiting."
        if not move_by(store, waiting, by, whole_sweeps=whole_sweeps):
            return f"{what.capitalize()} is already {'first' if by < 0 else 'last'} in the queue."
        verb = "starts" if len(waiting) == 1 else "start"
        return f"{len(waiting)} of {what} {verb} {'earlier' if by < 0 else 'later'}."

    async def job() -> None:
        screen.tell(await asyncio.to_thread(change))

    screen.in_background(job)


def save(screen: WorkbenchScreen, name: str, table: Callable[[], SweepTable]) -> None:
    """Ask for a file, and write the sweep to it. `table` runs on a thread."""

    async def job(file: Path) -> None:
        from workbench.exports.sweep_files import write_sweep

        def write() -> None:
            write_sweep(table(), name, file)

        await asyncio.to_thread(write)
        screen.tell(f"Written: {file.resolve()}")

    def answered(text: str | None) -> None:
        if text is None or not text.strip():
            return
        file = Path(text.strip()).expanduser()
        if not file.exists():
            screen.in_background(lambda: job(file))
            return

        def replaced(yes: bool | None) -> None:
            if yes:
                screen.in_background(lambda: job(file))

        screen.app.push_screen(Confirm(f"Replace {file}?", "There is a file of that name."), replaced)

    suggested = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in printable(name))
    screen.app.push_screen(AskLine(f"Write “{name}” to which file?", f"{suggested}.svg", ENDINGS), answered)


def open_run(screen: WorkbenchScreen, runs: Mapping[int, str]) -> None:
    """Watch the run; ask which if there are several."""
    from workbench.tui.sweeps.pick_run import PickRun

    def picked(run_id: int | str | None) -> None:
        if run_id is not None:
            screen.workbench.open_live(int(run_id))

    if len(runs) == 1:
        picked(next(iter(runs)))
    elif runs:
        screen.app.push_screen(PickRun(runs), picked)
