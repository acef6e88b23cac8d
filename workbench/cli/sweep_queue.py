"""`sweep pause`, `continue`, `trim`, `extend`, `move`: changes of the queue."""

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
    """Start no more runs of a sweep. Running ones finish."""
    store = open_store(context, db)
    chosen = store.sweeps.find(sweep)
    store.sweeps.pause(chosen.id, True)
    say(f"Sweep {chosen.id} {chosen.name} is paused. Continue it: mlm-workbench sweep continue {chosen.id}")


def cont(context: typer.Context, sweep: SweepReference, db: Db = None) -> None:
    """Continue a paused sweep."""
    from workbench.sweeps.queueing import continue_sweep

    store = open_store(context, db)
    chosen = store.sweeps.find(sweep)
    continue_sweep(store, chosen.id)
    say(f"Sweep {chosen.id} {chosen.name} continues in the background.")


def trim(
    context: typer.Context,
    sweep: SweepReference,
    run: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN", help="Only this run; repeatable. [all]", autocompletion=offer_runs),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    db: Db = None,
) -> None:
    """Drop the waiting runs of a sweep. Running and finished ones are kept."""
    store = open_store(context, db)
    target = store.sweeps.find(sweep)
    chosen = None if run is None else {store.find(name).id for name in run}
    if chosen is None and not yes and sys.stdin.isatty():
        typer.confirm(f"Drop all waiting runs of sweep {target.id}?", abort=True, err=True)
    dropped = store.sweeps.trim(target.id, chosen)
    say(f"Dropped {dropped} run{'' if dropped == 1 else 's'} of sweep {target.id}.")


@takes_fields(swept, "More of any other field.", several=True)
def extend(
    context: typer.Context,
    sweep: SweepReference,
    changes: dict[str, str],
    seeds: Annotated[
        str | None, typer.Option(metavar="N", help="The total number of seeds, or further ones: 1,2,7.")
    ] = None,
    trials: Annotated[
        int, typer.Option(metavar="N", min=0, help="Number of further trials of a search.")
    ] = 0,
    db: Db = None,
) -> None:
    """Queue more runs of a sweep: more values of its fields, or of another one, or more seeds."""
    from workbench.sweeps.plan import Plan
    from workbench.sweeps.queueing import extend_sweep
    from workbench.sweeps.reading import read_seeds, read_values

    if not changes and not seeds and not trials:
        raise UsageError(
            "There is nothing to add.", "Give values, for example --chunk-size 512, or --seeds 5."
        )
    values: dict[str, tuple[Any, ...]] = {field: read_values(field, text) for field, text in changes.items()}
    store = open_store(context, db)
    chosen = store.sweeps.find(sweep)
    more = read_seeds(seeds, Plan.from_json(chosen.plan).seed_list[0])
    made = extend_sweep(store, chosen, values, more, trials)
    count = len(made) or trials
    say(f"{count} more run{'' if count == 1 else 's'} in sweep {chosen.id} {chosen.name}.")


def move(
    context: typer.Context,
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Waiting runs.", autocompletion=offer_runs)
    ],
    first: Annotated[bool, typer.Option("--first", help="Move to the front of the queue.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Move to the end.")] = False,
    before: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Move before another waiting run.", autocompletion=offer_runs),
    ] = None,
    db: Db = None,
) -> None:
    """Change the order of waiting runs."""
    if sum((first, last, before is not None)) != 1:
        raise UsageError("Where to?", "Give one of --first, --last and --before RUN.")
    store = open_store(context, db)
    ids = [store.find(name).id for name in runs]
    to: Place | int = store.find(before).id if before is not None else "first" if first else "last"
    queue = store.sweeps.move(ids, to)
    shown = ", ".join(map(str, queue[:10])) + (f" and {len(queue) - 10} more" if len(queue) > 10 else "")
    say(f"The queue is now: {shown}.")
