"""`fill`: put words in the place of masks."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from workbench.cli.options import AsJson, Db, open_store


def fill(
    context: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT|-]",
            help="A text with [MASK] in it; `-`: lines of standard input.",
            show_default=False,
        ),
    ] = None,
    run: Annotated[str | None, typer.Option(metavar="RUN", help="A run, by its newest checkpoint.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="M", help="A hub id, a folder, `starter` or `run:RUN`.")
    ] = None,
    top_k: Annotated[int, typer.Option(metavar="N", help="Predictions for each mask.")] = 5,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Fill the masks of a text. Without TEXT: a prompt that answers line by line.

    Without --run and --model: the newest run that has a checkpoint, or else the starter.
    """
    from workbench.inference import console
    from workbench.inference.local import fill_text
    from workbench.inference.resolve import resolve_model

    store = open_store(context, db)
    choice = resolve_model(store, run, model)
    if text is None:
        raise typer.Exit(console.run_console(store, choice, top_k, as_json=as_json))
    if text == "-":
        raise typer.Exit(console.answer_lines(choice, sys.stdin, top_k, as_json=as_json))
    console.show_result(fill_text(choice, text, top_k), as_json=as_json)
