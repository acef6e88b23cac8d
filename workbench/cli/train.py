"""`train` and `resume`: start a worker and follow it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.completion import offer_presets, offer_trackers
from workbench.cli.options import AsJson, Db, Detach, RunReference, command_line, open_store
from workbench.cli.output import print_json, run_as_json, say
from workbench.cli.settings import flagged, takes_fields
from workbench.cli.where import DryRun, Gpus, Nodes, On, Processes, Sbatch, chosen_place
from workbench.engines.place import Place, here, processes_from
from workbench.engines.script import preview_script
from workbench.errors import UsageError
from workbench.status import PlaceEngine, Status

if TYPE_CHECKING:
    from workbench.recipe import Recipe
    from workbench.store import Run, Store


@takes_fields(flagged)
def train(
    context: typer.Context,
    *,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Recipe to begin with: starter (usual), xsum, or a saved one.",
            autocompletion=offer_presets,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Recipe in TOML; what it gives goes before the preset."),
    ] = None,
    changes: dict[str, str],
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="The run's name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="T", help="A tag; may be given again.")] = None,
    report_to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TRACKER",
            help="tensorboard, mlflow, wandb or trackio; may be given again.",
            autocompletion=offer_trackers,
        ),
    ] = None,
    processes: Processes = None,
    on: On = None,
    nodes: Nodes = None,
    gpus: Gpus = None,
    sbatch: Sbatch = None,
    dry_run: DryRun = False,
    detach: Detach = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Train a model. The run outlives this terminal; Ctrl-C stops it after saving a checkpoint."""
    recipe = chosen_recipe(preset, config, changes)

    from workbench.cli.follow import catching_interrupts
    from workbench.engines import control

    place = chosen_place(on, nodes, gpus, sbatch) or here()
    ranks = processes_from(processes) or None
    if dry_run:
        _print_script(place, name, ranks)
        return
    store = open_store(context, db)
    with catching_interrupts() as interrupts:
        run = control.start(
            store,
            recipe,
            place,
            name,
            tag or (),
            command_line(),
            report_to or (),
            ranks,
        )
        _watch(store, run, interrupts, detach=detach, as_json=as_json)


def resume(
    context: typer.Context,
    run: RunReference,
    processes: Processes = None,
    on: On = None,
    nodes: Nodes = None,
    gpus: Gpus = None,
    sbatch: Sbatch = None,
    detach: Detach = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Continue an unfinished run from its last checkpoint, where it ran unless --on says otherwise."""
    from workbench.cli.follow import catching_interrupts
    from workbench.engines import control
    from workbench.worker import liveness

    store = open_store(context, db)
    liveness.refresh(store)
    chosen = store.find(run)
    place = chosen_place(on, nodes, gpus, sbatch)
    with catching_interrupts() as interrupts:
        again = control.resume(store, chosen.id, place, processes_from(processes))
        _watch(store, again, interrupts, detach=detach, as_json=as_json)


def chosen_recipe(preset_name: str | None, config: Path | None, changes: Mapping[str, str]) -> Recipe:
    """Preset, then file, then flags. Raises UsageError."""
    from workbench import presets
    from workbench.recipe import Recipe

    recipe = presets.load(preset_name or "starter")
    if preset_name is None and _is_another_model(changes.get("model")):
        # The starter's learning rate suits its 4 million parameters; it would ruin a model of usual size.
        reference = Recipe()
        recipe = recipe.with_changes(
            learning_rate=reference.learning_rate,
            batch_size=reference.batch_size,
            schedule=reference.schedule,
        )
    if config:
        recipe = Recipe.load(config, recipe)
    return recipe.with_changes(**changes) if changes else recipe


def _print_script(place: Place, name: str | None, processes: int | None) -> None:
    """The script of a run that is not made: its id and folder are not known yet."""
    if place.engine != PlaceEngine.SLURM:
        raise UsageError("--dry-run prints a job's script; this run has none.", "Add --on PLACE.")
    typer.echo(preview_script(place, name, processes), nl=False)


def _is_another_model(model: str | None) -> bool:
    """Whether the model is an ordinary one: not the starter, not a run's, not a new one."""
    return model is not None and model != "starter" and not model.startswith(("run:", "new:"))


def _watch(store: Store, run: Run, interrupts: list[int], *, detach: bool, as_json: bool) -> None:
    """Follow a run to its end, or detach at once; exits with the run's exit code."""
    from workbench.cli.follow import exit_code, follow, tell_ending

    waits_for_work = run.place_engine == PlaceEngine.WORK and run.status == Status.QUEUED
    if waits_for_work:
        say(f"Run {run.id} {run.name} waits for `mlm-workbench work {run.id}`.")
    elif detach:
        say(
            f"Run {run.id} {run.name} runs in the background. Watch it: mlm-workbench;  "
            f"its log: {run.folder}/worker.log"
        )
    if detach or waits_for_work:
        if as_json:
            print_json(run_as_json(run))
        else:
            typer.echo(run.id)
        return
    run = follow(store, run.id, interrupts)
    if as_json:
        print_json(run_as_json(run))
    tell_ending(run, interrupted=bool(interrupts), as_json=as_json)
    raise typer.Exit(exit_code(run, interrupted=bool(interrupts)))
