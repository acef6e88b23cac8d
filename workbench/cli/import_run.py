"""`import`: a training that another program did, as a past run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.completion import offer_fields, offer_models
from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import print_json, run_as_json, say
from workbench.cli.settings import changes_of


def import_run(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="What the Trainer or a TensorBoard writer left.")
    ],
    model: Annotated[
        str | None,
        typer.Option(metavar="M", help="The model that it began with.", autocompletion=offer_models),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="D", help="What it was trained on, as `train` takes it.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Any other field of its recipe that you know.",
            autocompletion=offer_fields,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The run's name. [the folder's name]")
    ] = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Take over a training from elsewhere as a past run.

    FOLDER is the output folder of Hugging Face's Trainer, or one with TensorBoard's event files. Its figures
    become curves. Of its recipe, what the folder tells and what you tell is kept, nothing else is assumed.
    Checkpoints stay where they are: `fill` answers from them, and with --model and --dataset `yardstick`
    scores them, which alone makes a fair comparison with runs of this workbench. No pickle is opened.
    """
    from workbench.imports import past_run

    told = {"model": model, "dataset": dataset}
    known = {field: value for field, value in told.items() if value is not None} | changes_of(settings or ())
    store = open_store(context, db)
    run = past_run.import_run(store, path, name, known)
    saved = len(store.checkpoints(run.id))
    say(f"Run {run.id} {run.name}: {len(store.metrics(run.id)):,} figures, {saved} checkpoints.")
    if as_json:
        print_json(run_as_json(run))
    else:
        print(run.id)
