"""`sweep`: many runs planned together, queued in the store and started one after another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from workbench.cli.examples import epilog
from workbench.cli.options import AsJson, ConfigOption, Db, Detach, PresetOption, command_line, open_store
from workbench.cli.output import print_json, say
from workbench.cli.settings import LateCommand, LateGroup, flagged, takes_fields
from workbench.cli.sweep_queue import cont, extend, move, pause, trim
from workbench.cli.sweep_show import export, follow_sweep, list_sweeps, show, sweep_as_json
from workbench.cli.train import chosen_recipe
from workbench.cli.where import Gpus, Nodes, On, Processes, Sbatch, chosen_place
from workbench.engines.place import processes_from
from workbench.errors import UsageError
from workbench.status import PlaceEngine

if TYPE_CHECKING:
    from workbench.engines.place import Place
    from workbench.sweeps.plan import Plan

sweep = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb, called in (
    (list_sweeps, "list"),
    (show, "show"),
    (pause, "pause"),
    (cont, "continue"),
    (trim, "trim"),
    (extend, "extend"),
    (move, "move"),
    (export, "export"),
):
    sweep.command(
        called, cls=LateCommand if hasattr(verb, "late") else None, epilog=epilog(f"sweep {called}")
    )(verb)

LISTS = re.compile(r",|\.\.")
"""What makes a field of a recipe one that is swept."""


@sweep.callback(cls=LateGroup, invoke_without_command=True, epilog=epilog("sweep"))
@takes_fields(flagged, "Any other field of the recipe: one value, or a list.", several=True)
def start(
    context: typer.Context,
    *,
    preset: PresetOption = None,
    config: ConfigOption = None,
    changes: dict[str, str],
    seeds: Annotated[
        str | None, typer.Option(metavar="N", help="Repeat every recipe with so many seeds, or with 1,2,7.")
    ] = None,
    search: Annotated[
        int, typer.Option(metavar="N", min=0, help="No grid: search in N runs, learning from each.")
    ] = 0,
    pruner: Annotated[
        str,
        typer.Option(metavar="median|hyperband|none", help="How a search ends runs that are clearly behind."),
    ] = "median",
    parallel: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Runs at once. [as many as GPUs, or 1]")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="The sweep's name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="T", help="A tag for its runs.")] = None,
    processes: Processes = None,
    on: On = None,
    nodes: Nodes = None,
    gpus: Gpus = None,
    sbatch: Sbatch = None,
    detach: Detach = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Train a grid of recipes, one run after another, or search for a good one.

    Lists with commas make the grid: 64,128,256. A search takes ranges too: 1e-5..1e-3. The queue runs by
    itself: Ctrl-C only leaves it. A run whose process is killed is resumed, twice at most. Give these options
    before a verb such as `list`, or none.
    """
    context.obj = db or context.obj
    if context.invoked_subcommand is not None:
        return
    from workbench.sweeps.queueing import start_sweep

    plan = _plan(preset, config, changes, seeds, search, pruner, parallel)
    if plan.trials:
        from workbench.sweeps.search import check_installed

        check_installed()
    place = chosen_place(on, nodes, gpus, sbatch)
    store = open_store(context, db)
    made = start_sweep(
        store,
        plan,
        name,
        tags=tag or (),
        command=command_line(),
        place=place,
        processes=processes_from(processes) or None,
    )
    count = plan.trials or plan.count
    say(f"Sweep {made.id} {made.name}: {count} runs. {_goes_on(plan, place)}")
    if not detach:
        raise typer.Exit(follow_sweep(store, made.id, as_json=as_json))
    if as_json:
        print_json(sweep_as_json(store, made))
    else:
        typer.echo(made.id)


def _goes_on(plan: Plan, place: Place | None) -> str:
    if place is not None and place.engine == PlaceEngine.WORK:
        return "Each waits for `mlm-workbench work RUN`."
    if place is None or place.is_local:
        return "It goes on by itself; mlm-workbench shows it."
    if plan.trials:
        return (
            f"A process on this machine chooses and submits them one after another to {place.name}: if it is "
            "killed, opening mlm-workbench starts it again."
        )
    return f"They are submitted as one job array to {place.name}, which needs no process here."


def _plan(
    preset: str | None,
    config: Path | None,
    typed: dict[str, str],
    seeds: str | None,
    search: int,
    pruner: str,
    parallel: int | None,
) -> Plan:
    """Preset, then file, then flags; what has several values is swept. Raises UsageError."""
    from workbench.sweeps.plan import Pruner
    from workbench.sweeps.reading import read_plan

    if pruner not in get_args(Pruner):
        raise UsageError(f"--pruner {pruner}: must be {', '.join(get_args(Pruner))}.")
    single = {name: text for name, text in typed.items() if not LISTS.search(text)}
    several = {name: text for name, text in typed.items() if name not in single}
    # which learning rate is usual depends on the model; of several, on the first
    if models := typed.get("model", "").partition(",")[0]:
        single["model"] = models
    base = chosen_recipe(preset, config, single)
    kind: Any = pruner
    return read_plan(base, several, seeds=seeds, trials=search, pruner=kind, parallel=parallel)
