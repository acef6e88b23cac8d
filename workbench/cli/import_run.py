"""`import`: a training by another program, as a past run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import print_json, run_as_json, say
from workbench.cli.settings import takes_fields
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.store import Run, Store


@takes_fields(
    lambda: ("model", "dataset"),
    "Any other field of its recipe, if you know it.",
    model="Its base model.",
    dataset="Its dataset, as `train` takes it.",
)
def import_run(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A run's folder, a Trainer's output, or TensorBoard logs."),
    ],
    changes: dict[str, str],
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The run's name. [the folder's name]")
    ] = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Import a training from elsewhere as a past run.

    FOLDER is a run's own folder, or the folder `runs` of a database that is lost: its runs come back whole,
    with their metrics, scores and checkpoints.

    Or FOLDER is the output folder of Hugging Face's Trainer, or one with TensorBoard event files. Its metrics
    become curves. Its recipe holds what the folder and your options say; nothing is assumed. Checkpoints
    stay where they are: `fill` uses them, and with --model and --dataset `yardstick` scores them, which is
    the only fair comparison with runs of this workbench. No pickle is opened.
    """
    from workbench.imports import own_run, past_run

    store = open_store(context, db)
    if own := own_run.own_folders(path):
        _import_own(store, own, name, changes, as_json)
        return
    run = past_run.import_run(store, path, name, changes)
    saved = len(store.checkpoints(run.id))
    say(f"Run {run.id} {run.name}: {len(store.metrics(run.id)):,} values, {saved} checkpoints.")
    if as_json:
        print_json(run_as_json(run))
    else:
        print(run.id)


def _import_own(
    store: Store, folders: list[Path], name: str | None, changes: dict[str, str], as_json: bool
) -> None:
    """Import folders of runs. Of several, those that this store has are passed over."""
    from workbench.imports.own_run import import_own

    if changes or (name is not None and len(folders) > 1):
        option = f"--{next(iter(changes)).replace('_', '-')}" if changes else "--name"
        raise UsageError(
            f"{option} is for a training of another program.", "A run's own folder says all of it by itself."
        )
    imported: list[Run] = []
    for folder in folders:
        try:
            run = import_own(store, folder, name)
        except UsageError as error:
            if len(folders) == 1:
                raise
            say(str(error))
            continue
        saved = len(store.checkpoints(run.id))
        say(f"Run {run.id} {run.name}: {len(store.metrics(run.id)):,} values, {saved} checkpoints.")
        if trouble := store.journals.trouble(run.id):
            say(f"Not all of it: {trouble}")
        imported.append(run)
    if as_json:
        shown = [run_as_json(run) for run in imported]
        print_json(shown[0] if len(folders) == 1 else shown)
    else:
        for run in imported:
            print(run.id)
