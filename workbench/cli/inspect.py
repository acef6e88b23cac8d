"""`inspect`: statistics of a text before training."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.bar import Bar, quiet_libraries
from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import print_json, say
from workbench.cli.settings import of_the_text, takes_fields
from workbench.display.corpus_stats import described
from workbench.events import Event, Message, PhaseChanged
from workbench.inference.resolve import resolve_model
from workbench.paths import cache_folder
from workbench.pretrained.shapes import is_new
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.text import printable


@takes_fields(
    of_the_text,
    model="Whose tokenizer: hub id, local folder, `starter`, `run:RUN`, or `new:SHAPE`.",
)
def inspect(
    context: typer.Context,
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="Hub id, file, folder or glob, or `python-docs`.")
    ],
    changes: dict[str, str],
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Count the documents, tokens and chunks of a text, their lengths, and what the tokenizer cannot spell.

    The text is prepared as `train` would and cached, so that training starts at once.
    """
    from workbench.recipe import PRESETS

    recipe = PRESETS["starter"].with_changes(**changes, dataset=data)

    quiet_libraries()
    from workbench.corpus import prepare_corpus
    from workbench.corpus.look import look_through
    from workbench.corpus.notes import Notes
    from workbench.corpus.statistics import statistics

    with Bar() as bar:

        def listen(event: Event) -> None:
            bar(event)
            if isinstance(event, PhaseChanged):
                bar.begin(event.phase)
            elif isinstance(event, Message):
                say(event.text)

        name = recipe.model
        if name.startswith("run:"):
            name = resolve_model(open_store(context, db), model=name).path
        elif is_new(name):
            from workbench.corpus.new_model import make_new_model

            name = str(make_new_model(recipe, cache=cache_folder(), listen=listen))
        tokenizer = load_tokenizer(name, recipe.model_revision, say)
        corpus = prepare_corpus(recipe, tokenizer, max_chunk=None, cache=cache_folder(), listen=listen)
        looked = look_through(recipe, cache_folder(), Notes(bar))
        values = statistics(corpus, tokenizer).as_json() | looked.as_json()
    if as_json:
        print_json(values)
    else:
        typer.echo(printable(described(values), keep_newlines=True))
