"""`export`: a run's model as a folder to share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import CheckpointName, Db, RunReference, open_store
from workbench.cli.output import say


def export(
    context: typer.Context,
    run: RunReference,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty folder.")],
    checkpoint: CheckpointName = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export there.")] = False,
    db: Db = None,
) -> None:
    """Write a run's model as a folder that others can load, with a model card.

    AutoModelForMaskedLM, pipeline("fill-mask") and SentenceTransformer load it. README.md describes the data,
    the training and the results; recipe.toml repeats it. Nothing in it names this machine, its users or its
    folders. The folder appears whole or not at all.
    """
    from workbench.exports.model_folder import export_run

    store = open_store(context, db)
    chosen = store.find(run)
    saved = export_run(store, chosen, folder, checkpoint=checkpoint, replace=force)
    say(f"Run {chosen.id} {chosen.name}, step {saved.step:,}: {folder}")
