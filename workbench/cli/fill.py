"""`fill`: predict masked words, or show how unexpected the words of a text are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.completion import offer_models, offer_runs
from workbench.cli.options import AsJson, Db, open_store
from workbench.errors import UsageError
from workbench.inference.candidates import split_words
from workbench.inference.query import MOST_MODELS, Query
from workbench.inference.resolve import LAST, resolve_model

if TYPE_CHECKING:
    from workbench.inference.resolve import ModelChoice
    from workbench.store import Store


def fill(
    context: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT|-]",
            help="A text with [MASK]; `-`: lines of standard input.",
            show_default=False,
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="A run; its newest checkpoint is used.", autocompletion=offer_runs),
    ] = None,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STEP", help="With --run: a step, `best` or `last`; repeat it to compare several."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="M",
            help="A hub id, a folder, `starter`, `run:RUN` or `run:RUN@STEP`; up to four to compare.",
            autocompletion=offer_models,
        ),
    ] = None,
    top_k: Annotated[int, typer.Option(metavar="N", help="Predictions per mask.")] = 5,
    candidates: Annotated[
        str | None, typer.Option(metavar="WORD,WORD", help="Consider only these words.")
    ] = None,
    surprisal: Annotated[
        bool,
        typer.Option("--surprisal", help="Show how unexpected each token is, and the pseudo-perplexity."),
    ] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Fill the masks of a text. Without TEXT, open a prompt that answers line by line.

    Without --run and --model, use the newest run that has a checkpoint, or else the starter.
    """
    from workbench.cli import prompt

    words = split_words(candidates or "")
    if candidates is not None and not words:
        raise UsageError("--candidates names no word.", "Separate words with commas: bbc,police.")
    if surprisal and words:
        raise UsageError("--candidates and --surprisal do not go together.", "Give one of them.")
    query = Query(top_k, words, surprisal)
    store = open_store(context, db)
    choices = _choices(store, run, checkpoint or [], model or [])
    if text is None:
        raise typer.Exit(prompt.run_console(store, choices, query, as_json=as_json))
    if text == "-":
        raise typer.Exit(prompt.answer_lines(choices, sys.stdin, query, as_json=as_json))
    prompt.answer_once(choices, text, query, as_json=as_json)


def _choices(store: Store, run: str | None, checkpoints: list[str], models: list[str]) -> list[ModelChoice]:
    """The models to query: those given, and the run at each given checkpoint."""
    if not run and not models and not checkpoints:
        return [resolve_model(store)]
    if checkpoints and not run:
        raise UsageError("A checkpoint belongs to a run.", "Give --run with --checkpoint.")
    if run and models:
        raise UsageError(
            "A run and a model were both given.",
            f"Give --run or --model, not both; a run among models is written --model run:{run}.",
        )
    if max(len(models), len(checkpoints)) > MOST_MODELS:
        raise UsageError("Too many models to compare.", f"Give at most {MOST_MODELS}.")
    if models:
        return [resolve_model(store, model=model) for model in models]
    return [resolve_model(store, run, checkpoint=checkpoint) for checkpoint in checkpoints or [LAST]]
