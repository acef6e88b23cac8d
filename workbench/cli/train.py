"""`train` and `resume`: a worker, and a look over its shoulder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.completion import offer_fields, offer_models, offer_presets, offer_trackers
from workbench.cli.options import AsJson, Db, Detach, RunReference, command_line, open_store
from workbench.cli.output import print_json, run_as_json, say
from workbench.cli.settings import changes_of

if TYPE_CHECKING:
    from workbench.recipe import Recipe
    from workbench.store import Run, Store


def train(
    context: typer.Context,
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
    model: Annotated[
        str | None,
        typer.Option(
            metavar="M", help="Hub id, local folder, `starter`, or `run:RUN`.", autocompletion=offer_models
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="D", help="Hub id, file, folder or glob (.txt .jsonl .csv .parquet), `python-docs`."
        ),
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(metavar="C", help="Column that holds the text; empty: guessed.")
    ] = None,
    train_size: Annotated[str | None, typer.Option(metavar="N", help="Rows to train on; empty: all.")] = None,
    test_size: Annotated[
        str | None, typer.Option(metavar="N", help="Rows held out, or a share such as 0.2.")
    ] = None,
    chunk_size: Annotated[str | None, typer.Option(metavar="N", help="Tokens in one example.")] = None,
    mask_prob: Annotated[str | None, typer.Option(metavar="P", help="Share of tokens to predict.")] = None,
    epochs: Annotated[str | None, typer.Option(metavar="N", help="Times through the text.")] = None,
    batch_size: Annotated[str | None, typer.Option(metavar="N", help="Chunks in a forward pass.")] = None,
    lr: Annotated[str | None, typer.Option(metavar="X", help="Peak learning rate.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="Split, order, masks and dropout.")] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="auto|fp32|bf16|fp16", help="Number format.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Any other field of the recipe.",
            autocompletion=offer_fields,
        ),
    ] = None,
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
    detach: Detach = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Train a model. The run outlives this terminal: Ctrl-C stops it, with a checkpoint to go on from."""
    named = {
        "model": model,
        "dataset": dataset,
        "text_column": text_column,
        "train_size": train_size,
        "test_size": test_size,
        "chunk_size": chunk_size,
        "mask_prob": mask_prob,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": lr,
        "seed": seed,
        "precision": precision,
    }
    recipe = chosen_recipe(preset, config, named, settings or ())

    from workbench.cli.follow import catching_interrupts
    from workbench.worker import launch

    store = open_store(context, db)
    with catching_interrupts() as interrupts:
        run = launch.start(store, recipe, name, tag or (), command_line(), report_to or ())
        _watch(store, run, interrupts, detach=detach, as_json=as_json)


def resume(
    context: typer.Context, run: RunReference, detach: Detach = False, as_json: AsJson = False, db: Db = None
) -> None:
    """Go on with a run that did not finish, from its last checkpoint."""
    from workbench.cli.follow import catching_interrupts
    from workbench.worker import launch, liveness

    store = open_store(context, db)
    liveness.refresh(store)
    found = store.find(run)
    with catching_interrupts() as interrupts:
        _watch(store, launch.resume(store, found.id), interrupts, detach=detach, as_json=as_json)


def chosen_recipe(
    preset_name: str | None, config: Path | None, named: dict[str, str | None], settings: Sequence[str]
) -> Recipe:
    """Preset, then file, then flags. Raises UsageError."""
    from workbench import presets
    from workbench.recipe import Recipe

    recipe = presets.load(preset_name or "starter")
    if preset_name is None and _is_another_model(named["model"]):
        # The starter's rate is for its 4 million parameters: it would ruin a model of usual size.
        reference = Recipe()
        recipe = recipe.with_changes(
            learning_rate=reference.learning_rate,
            batch_size=reference.batch_size,
            schedule=reference.schedule,
        )
    if config:
        recipe = Recipe.load(config, recipe)
    changes: dict[str, Any] = {field: value for field, value in named.items() if value is not None}
    changes |= changes_of(settings)
    return recipe.with_changes(**changes) if changes else recipe


def _is_another_model(model: str | None) -> bool:
    """Whether a model is named that is neither the starter, nor what a run made of one, nor a new one."""
    return model is not None and model != "starter" and not model.startswith(("run:", "new:"))


def _watch(store: Store, run: Run, interrupts: list[int], *, detach: bool, as_json: bool) -> None:
    """Follow a run to its end, or leave it at once; ends the command with the exit code for it."""
    from workbench.cli.follow import exit_code, follow, tell_ending

    if detach:
        say(
            f"Run {run.id} {run.name} goes on by itself. Watch it: mlm-workbench; "
            f"its log: {run.folder}/worker.log"
        )
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
