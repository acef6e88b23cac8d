"""`sweep pause`, `continue`, `trim`, `extend`, `move`: what is done to a queue."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.completion import offer_runs
from workbench.cli.options import Db, open_store
from workbench.cli.output import say
from workbench.cli.settings import swept, takes_fields
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.store.sweeps import Place

SweepReference = Annotated[str, typer.Argument(metavar="SWEEP", help="A sweep's id, its name, or `latest`.")]


def pause(context: typer.Context, sweep: SweepReference, db: Db = None) -> None:
    """Start no more runs of a sweep. The one that trains goes on to its end."""
    store = open_store(context, db)
    found = store.sweeps.find(sweep)
    store.sweeps.pause(found.id, True)
    say(f"Sweep {found.id} {found.name} is paused. Go on with it: mlm-workbench sweep continue {found.id}")


def cont(context: typer.Context, sweep: SweepReference, db: Db = None) -> None:
    """Go on with a paused sweep."""
    from workbench.sweeps.queueing import continue_sweep

    store = open_store(context, db)
    found = store.sweeps.find(sweep)
    continue_sweep(store, found.id)
    say(f"Sweep {found.id} {found.name} goes on by itself.")


def trim(
    context: typer.Context,
    sweep: SweepReference,
    run: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN", help="Only this one; may be given again. [all]", autocompletion=offer_runs
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    db: Db = None,
) -> None:
    """Drop the runs of a sweep that wait. What trains or has trained is left alone."""
    store = open_store(context, db)
    found = store.sweeps.find(sweep)
    chosen = None if run is None else {store.find(name).id for name in run}
    if chosen is None and not yes and sys.stdin.isatty():
        typer.confirm(f"Drop all runs of sweep {found.id} that wait?", abort=True, err=True)
    dropped = store.sweeps.trim(found.id, chosen)
    say(f"{dropped} run{'' if dropped == 1 else 's'} of sweep {found.id} will not be trained.")


@takes_fields(swept, "More of any other field.", several=True)
def extend(
    context: typer.Context,
    sweep: SweepReference,
    changes: dict[str, str],
    seeds: Annotated[
        str | None, typer.Option(metavar="N", help="So many seeds in all, or these besides: 1,2,7.")
    ] = None,
    trials: Annotated[int, typer.Option(metavar="N", min=0, help="So many more trials of a search.")] = 0,
    db: Db = None,
) -> None:
    """Queue more runs of a sweep: more values of its fields, or of another one, or more seeds."""
    from workbench.sweeps.plan import Plan
    from workbench.sweeps.queueing import extend_sweep
    from workbench.sweeps.reading import read_seeds, read_values

    if not changes and not seeds and not trials:
        raise UsageError("Nothing is added.", "Give values, for example --chunk-size 512, or --seeds 5.")
    values: dict[str, tuple[Any, ...]] = {field: read_values(field, text) for field, text in changes.items()}
    store = open_store(context, db)
    found = store.sweeps.find(sweep)
    more = read_seeds(seeds, Plan.from_json(found.plan).seed_list[0])
    made = extend_sweep(store, found, values, more, trials)
    count = len(made) or trials
    say(f"{count} more run{'' if count == 1 else 's'} in sweep {found.id} {found.name}.")


def move(
    context: typer.Context,
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Waiting runs.", autocompletion=offer_runs)
    ],
    first: Annotated[bool, typer.Option("--first", help="To the head of the queue.")] = False,
    last: Annotated[bool, typer.Option("--last", help="To its end.")] = False,
    before: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Before another waiting run.", autocompletion=offer_runs),
    ] = None,
    db: Db = None,
) -> None:
    """Change the order in which waiting runs are started."""
    if sum((first, last, before is not None)) != 1:
        raise UsageError("Where to?", "Give one of --first, --last and --before RUN.")
    store = open_store(context, db)
    ids = [store.find(name).id for name in runs]
    to: Place | int = store.find(before).id if before is not None else "first" if first else "last"
    queue = store.sweeps.move(ids, to)
    shown = ", ".join(map(str, queue[:10])) + (f" and {len(queue) - 10} more" if len(queue) > 10 else "")
    say(f"The queue is now: {shown}.")
