"""`import`: a training by another program, as a past run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import print_json, run_as_json, say
from workbench.cli.settings import takes_fields


@takes_fields(
    lambda: ("model", "dataset"),
    "Any other field of its recipe, if you know it.",
    model="Its base model.",
    dataset="Its dataset, as `train` takes it.",
)
def import_run(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The output of Trainer, or TensorBoard logs.")
    ],
    changes: dict[str, str],
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The run's name. [the folder's name]")
    ] = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Import a training from elsewhere as a past run.

    FOLDER is the output folder of Hugging Face's Trainer, or one with TensorBoard event files. Its metrics
    become curves. Its recipe holds what the folder and your options say; nothing is assumed. Checkpoints
    stay where they are: `fill` uses them, and with --model and --dataset `yardstick` scores them, which is
    the only fair comparison with runs of this workbench. No pickle is opened.
    """
    from workbench.imports import past_run

    store = open_store(context, db)
    run = past_run.import_run(store, path, name, changes)
    saved = len(store.checkpoints(run.id))
    say(f"Run {run.id} {run.name}: {len(store.metrics(run.id)):,} values, {saved} checkpoints.")
    if as_json:
        print_json(run_as_json(run))
    else:
        print(run.id)
