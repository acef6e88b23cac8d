"""`import`: a training that another program did, as a past run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import print_json, run_as_json, say
from workbench.cli.settings import takes_fields


@takes_fields(
    lambda: ("model", "dataset"),
    "Any other field of its recipe that you know.",
    model="The model that it began with.",
    dataset="What it was trained on, as `train` takes it.",
)
def import_run(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="What the Trainer or a TensorBoard writer left.")
    ],
    changes: dict[str, str],
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

    store = open_store(context, db)
    run = past_run.import_run(store, path, name, changes)
    saved = len(store.checkpoints(run.id))
    say(f"Run {run.id} {run.name}: {len(store.metrics(run.id)):,} figures, {saved} checkpoints.")
    if as_json:
        print_json(run_as_json(run))
    else:
        print(run.id)
