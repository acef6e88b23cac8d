"""`push`: a run's model to the hub."""

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
        bool, typer.Option("--private", help="For you alone, if the repository is made now.")
    ] = False,
    checkpoint: CheckpointName = None,
    db: Db = None,
) -> None:
    """Upload a run's model to the Hugging Face hub, as `export` writes it.

    The repository is made if there is none, and everyone can see it unless --private is given. It asks the
    hub that HF_ENDPOINT names, with the token of `hf auth login` or of HF_TOKEN.
    """
    from workbench.exports.hub import push_run

    store = open_store(context, db)
    address = push_run(store, store.find(run), repository, checkpoint=checkpoint, private=private)
    say("It is there:")
    typer.echo(address)
