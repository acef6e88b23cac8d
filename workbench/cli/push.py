"""`push`: uploads a run's model to the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.options import CheckpointName, Db, RunReference, open_store
from workbench.cli.output import say


def push(
    context: typer.Context,
    run: RunReference,
    repository: Annotated[str, typer.Argument(metavar="REPO", help="OWNER/NAME on the hub.")],
    private: Annotated[
        bool, typer.Option("--private", help="Make the repository private, if it is new.")
    ] = False,
    checkpoint: CheckpointName = None,
    db: Db = None,
) -> None:
    """Upload a run's model to the Hugging Face hub, as `export` writes it.

    The repository is created if it does not exist, and is public unless --private is given. The hub is
    HF_ENDPOINT's, the token that of `hf auth login` or HF_TOKEN.
    """
    from workbench.exports.hub import push_run

    store = open_store(context, db)
    address = push_run(store, store.find(run), repository, checkpoint=checkpoint, private=private)
    say("Uploaded:")
    typer.echo(address)
