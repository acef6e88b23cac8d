"""`sweep list`, `show`, `export`, and following a sweep."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import iso, print_json, run_as_json, say
from workbench.cli.sweep_queue import SweepReference
from workbench.cli.tables import show_table
from workbench.display import numbers
from workbench.display.status import sweep_word
from workbench.display.sweep import effect_lines, entry_lines, heat_lines
from workbench.display.sweep_curves import curve_lines, read_curves
from workbench.status import ACTIVE, ENDED, RESUMABLE, Status
from workbench.text import printable

if TYPE_CHECKING:
    from rich.text import Text

    from workbench.analysis.sweep_table import SweepTable
    from workbench.store import Store, Sweep

_LOOK_SECONDS = 0.5
Plot = Annotated[
    bool, typer.Option("--plot", help="Draw the heat map, the effect of each field, and the curves.")
]


def list_sweeps(context: typer.Context, as_json: AsJson = False, db: Db = None) -> None:
    """List every sweep, newest first."""
    from workbench.worker import liveness

    store = open_store(context, db)
    liveness.refresh(store)
    sweeps, counts = store.sweeps.all(), store.sweeps.counts()
    if as_json:
        print_json([sweep_as_json(store, sweep) for sweep in sweeps])
        return
    if not sweeps:
        say("There are no sweeps yet. Start one: mlm-workbench sweep --chunk-size 64,128 --seeds 2")
        return
    rows = [["id", "name", "status", "runs", "finished", "running", "waiting", "not finished", "fields"]]
    for sweep in sweeps:
        of = counts.get(sweep.id, {})
        fields = [*sweep.plan["values"], *sweep.plan["ranges"]]
        rows.append(
            [
                str(sweep.id),
                sweep.name,
                sweep_word(stands(sweep, of)),
                str(sum(of.values()) + sweep.trials_left),
                str(of.get(Status.FINISHED, 0)),
                str(of.get(Status.RUNNING, 0)),
                str(of.get(Status.QUEUED, 0) + sweep.trials_left),
                str(sum(of.get(status, 0) for status in RESUMABLE)),
                ", ".join(fields) or "seeds",
            ]
        )
    show_table("Sweeps", rows, frozenset({0, 3, 4, 5, 6, 7}))


def show(
    context: typer.Context,
    sweep: SweepReference = "latest",
    plot: Plot = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Show a sweep: its recipes over seeds, best first, and the queue."""
    from workbench.worker import liveness

    store = open_store(context, db)
    liveness.refresh(store)
    chosen = store.sweeps.find(sweep)
    table = table_of(store, chosen)
    if as_json:
        runs = [run_as_json(run) for run in store.sweeps.runs(chosen.id)]
        print_json({**sweep_as_json(store, chosen), "table": table.to_json(), "runs": runs})
        return
    of = store.sweeps.counts().get(chosen.id, {})
    states = ", ".join(f"{count} {status}" for status, count in of.items()) or "no runs yet"
    print(printable(f"Sweep {chosen.id} {chosen.name}: {sweep_word(stands(chosen, of))}; {states}"))
    if chosen.trials_left:
        print(f"{chosen.trials_left} trials of the search remain.")
    draw(store, table, plot=plot)
    waiting = [run for run in store.sweeps.waiting(paused_too=True) if run.sweep_id == chosen.id]
    if waiting:
        shown = ", ".join(f"{run.id} {run.name}" for run in waiting[:5])
        more = f" and {len(waiting) - 5} more" if len(waiting) > 5 else ""
        print(f"\n{printable(f'Next: {shown}{more}')}")


def export(
    context: typer.Context,
    sweep: SweepReference,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv, .json, .md or .svg file.")],
    db: Db = None,
) -> None:
    """Write a sweep to a file: its recipes, their comparison, and the effect of each field."""
    from workbench.exports.sweep_files import write_sweep

    store = open_store(context, db)
    chosen = store.sweeps.find(sweep)
    write_sweep(table_of(store, chosen), chosen.name, file)
    say(f"Sweep {chosen.id} {chosen.name}: {file}")


def follow_sweep(store: Store, sweep_id: int, *, as_json: bool) -> int:
    """Report each run's end until all have ended or Ctrl-C. Exit code: 0 all finished, 1 not, 130 Ctrl-C."""
    from workbench.cli.follow import INTERRUPTED, catching_interrupts
    from workbench.worker import liveness

    told: set[int] = set()
    with catching_interrupts() as interrupts:
        while True:
            liveness.refresh(store)
            runs = store.sweeps.runs(sweep_id)
            sweep = store.sweeps.sweep(sweep_id)
            for run in runs:
                if run.status in ENDED and run.id not in told:
                    told.add(run.id)
                    of = f"{len(told)}/{len(runs) + sweep.trials_left}"
                    yard = numbers.perplexity(run.yardstick_perplexity)
                    say(f"{of}  run {run.id} {run.name}: {run.status}, yardstick {yard}")
            if not sweep.trials_left and all(run.status not in ACTIVE for run in runs):
                break
            if interrupts:
                say(f"It continues in the background. Show it: mlm-workbench sweep show {sweep_id} --plot")
                say(f"Pause it: mlm-workbench sweep pause {sweep_id}")
                return INTERRUPTED
            time.sleep(_LOOK_SECONDS)
    if as_json:
        print_json(sweep_as_json(store, sweep))
    else:
        draw(store, table_of(store, sweep), plot=True)
    pruned = {run.id for run in runs if run.status == Status.STOPPED and sweep.plan["trials"]}
    return 0 if all(run.status == Status.FINISHED or run.id in pruned for run in runs) else 1


def table_of(store: Store, sweep: Sweep) -> SweepTable:
    """Print a sweep's results."""
    from workbench.analysis.sweep_table import sweep_table

    fields = [*sweep.plan["values"], *sweep.plan["ranges"]]
    return sweep_table(store, store.sweeps.runs(sweep.id), fields)


def draw(store: Store, table: SweepTable, *, plot: bool) -> None:
    """Print a sweep's results and, with `plot`, its pictures, as wide as the terminal."""
    from rich.console import Console

    from workbench.analysis.heat_map import heat_map

    console = Console(highlight=False)
    shades = console.color_system in ("256", "truecolor") and not console.no_color
    if not table.entries:
        return

    def put(lines: Iterable[Text]) -> None:
        console.print()
        for line in lines:
            console.print(line, overflow="ignore", crop=False, soft_wrap=True)

    if plot and (picture := heat_map(table)):
        put(heat_lines(picture, console.width, shades=shades))
        put(effect_lines(table, console.width))
    put(entry_lines(table, console.width))
    if plot:
        put(curve_lines(table, read_curves(store, table), console.width))
    for note in table.notes:
        print(printable(f"Note: {note}"))


def stands(sweep: Sweep, counts: dict[str, int]) -> str:
    """A sweep's state, in a word."""
    from workbench.store.sweeps import state_of

    return state_of(sweep, sweep.trials_left + sum(counts.get(status, 0) for status in ACTIVE))


def sweep_as_json(store: Store, sweep: Sweep) -> dict[str, Any]:
    """A sweep as JSON: its plan and the ids of its runs."""
    runs = store.sweeps.runs(sweep.id)
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.status] = counts.get(run.status, 0) + 1
    plan = {key: value for key, value in sweep.plan.items() if key not in ("environment", "tags")}
    return {
        "id": sweep.id,
        "name": sweep.name,
        "status": stands(sweep, counts),
        "plan": plan,
        "trials_left": sweep.trials_left,
        "created_at": iso(sweep.created_at),
        "counts": counts,
        "runs": [run.id for run in runs],
    }
