"""What can be done to a sweep from a screen, on a thread: no key waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.text import printable
from workbench.tui.widgets.ask_line import AskLine
from workbench.tui.widgets.confirm import Confirm

if TYPE_CHECKING:
    from workbench.analysis.sweep_table import SweepTable
    from workbench.tui.screen import WorkbenchScreen

ENDINGS = "Its ending says in which form: .csv .json .md or .svg."


def pause(screen: WorkbenchScreen, sweep_id: int, name: str, state: str) -> None:
    """Start no more runs of a sweep, or go on with it."""

    async def job() -> None:
        from workbench.sweeps.queueing import continue_sweep

        store = screen.workbench.store
        if state == "paused":
            await asyncio.to_thread(continue_sweep, store, sweep_id)
            screen.tell(f"“{name}” goes on.")
        else:
            await asyncio.to_thread(store.sweeps.pause, sweep_id, True)
            screen.tell(f"“{name}” is paused: what trains goes on to its end. p goes on with it.")

    if state == "done":
        screen.tell(f"“{name}” is done: nothing waits. e queues more of it.", warning=True)
    else:
        screen.in_background(job)


def trim(
    screen: WorkbenchScreen, sweep_id: int, what: str, count: int, run_ids: Collection[int] | None = None
) -> None:
    """Drop runs that wait, after asking. None: all of the sweep, and the trials to come."""
    if not count:
        screen.tell(f"Nothing of {what} waits.", warning=True)
        return

    async def job() -> None:
        dropped = await asyncio.to_thread(screen.workbench.store.sweeps.trim, sweep_id, run_ids)
        screen.tell(f"{dropped} run{'' if dropped == 1 else 's'} will not be trained.")

    def answered(yes: bool | None) -> None:
        if yes:
            screen.in_background(job, run_ids or ())

    question = f"Drop {count} waiting run{'' if count == 1 else 's'} of {what}?"
    screen.app.push_screen(Confirm(question, "What trains or has trained is left alone."), answered)


def extend(screen: WorkbenchScreen, sweep_id: int, name: str, *, search: bool) -> None:
    """Ask for more values, seeds or trials, and queue them."""

    def change(text: str) -> int:
        from workbench.sweeps.plan import Plan
        from workbench.sweeps.queueing import extend_sweep
        from workbench.sweeps.reading import read_more

        store = screen.workbench.store
        sweep = store.sweeps.sweep(sweep_id)
        if search:
            if not text.isdecimal() or not int(text):
                raise UsageError(f"{text!r} is no number of trials.", "For example 10.")
            extend_sweep(store, sweep, {}, (), int(text))
            return int(text)
        values, seeds = read_more(text, Plan.from_json(sweep.plan).seed_list[0])
        return len(extend_sweep(store, sweep, values, seeds))

    async def job(text: str) -> None:
        count = await asyncio.to_thread(change, text)
        screen.tell(f"{count} more run{'' if count == 1 else 's'} wait{'s' if count == 1 else ''}.")

    def answered(text: str | None) -> None:
        if text is not None and text.strip():
            screen.in_background(lambda: job(text.strip()))

    if search:
        question = f"How many more trials of “{name}”?"
        hint = "A number. The search learns from all before."
    else:
        question = f"More of “{name}”"
        hint = "Values and seeds, for example: chunk_size=256,512 mask_prob=0.4 seeds=5 (five in all)"
    screen.app.push_screen(AskLine(question, "", hint), answered)


def move(screen: WorkbenchScreen, what: str, run_ids: Collection[int], by: int) -> None:
    """Start those of these runs that wait earlier or later than their neighbour in the queue."""
    _move(screen, what, lambda: run_ids, by, whole_sweeps=False)


def move_sweep(screen: WorkbenchScreen, sweep_id: int, what: str, by: int) -> None:
    """Start a sweep's waiting runs before those of the sweep in front of it, or after those of the next."""
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
            return f"Nothing of {what} waits."
        if not move_by(store, waiting, by, whole_sweeps=whole_sweeps):
            return f"Nothing waits {'before' if by < 0 else 'after'} {what}."
        verb = "starts" if len(waiting) == 1 else "start"
        return f"Of {what} {len(waiting)} {verb} {'earlier' if by < 0 else 'later'}."

    async def job() -> None:
        screen.tell(await asyncio.to_thread(change))

    screen.in_background(job)


def save(screen: WorkbenchScreen, name: str, table: Callable[[], SweepTable]) -> None:
    """Ask for a file, and write the sweep into it. `table` runs on a thread."""

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
    """Watch the run, or choose among several."""
    from workbench.tui.sweeps.pick_run import PickRun

    def picked(run_id: int | None) -> None:
        if run_id is not None:
            screen.workbench.open_live(run_id)

    if len(runs) == 1:
        picked(next(iter(runs)))
    elif runs:
        screen.app.push_screen(PickRun(runs), picked)
