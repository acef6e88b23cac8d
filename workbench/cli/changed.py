"""`changed`: which words one run predicts better than another."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.bar import Bar, quiet_libraries
from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import print_json
from workbench.cli.tables import show_table
from workbench.display import numbers
from workbench.errors import UsageError
from workbench.inference.resolve import resolve_model
from workbench.paths import cache_folder
from workbench.pretrained.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from workbench.analysis.changed import ChangedWord

_CONTEXT_CELLS = 28


def changed(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="The run to compare with.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The run whose changes are shown.")],
    words: Annotated[int, typer.Option(metavar="N", min=1, help="Words in each list.")] = 10,
    fewest: Annotated[
        int, typer.Option(metavar="N", min=1, help="How often a word must have been masked.")
    ] = 1,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Show the test words that run B predicts better than run A, and worse, with their contexts.

    Both are scored on the yardstick with their newest checkpoints; their text must be the same.
    """
    store = open_store(context, db)
    runs = [store.find(run_name) for run_name in (a, b)]
    paths = [resolve_model(store, run=str(run.id)).path for run in runs]

    quiet_libraries()
    from workbench.analysis.changed import changes, token_losses
    from workbench.analysis.scorer import Scorer

    with Bar() as bar:
        bar.begin("the text")
        first, second = (Scorer(store, run, cache=cache_folder(), listen=bar).test for run in runs)
        test = first if len(first.table) <= len(second.table) else second
        if not first.same_questions(second):
            raise UsageError(
                f"Runs {runs[0].id} and {runs[1].id} have different test questions.",
                f"`mlm-workbench compare {runs[0].id} {runs[1].id}` says what differs.",
            )
        bar.begin(f"run {runs[0].id}")
        before = token_losses(test, paths[0], progress=bar.at)
        bar.begin(f"run {runs[1].id}")
        after = token_losses(test, paths[1], progress=bar.at)
    changed_words = changes(test, before, after, load_tokenizer(paths[0]), words=words, fewest=fewest)
    if as_json:
        print_json({"a": runs[0].id, "b": runs[1].id, **asdict(changed_words)})
        return
    name = f"in {runs[1].id} {runs[1].name}, against {runs[0].id} {runs[0].name}"
    _show(f"Predicted better {name}", changed_words.improved)
    _show(f"Predicted worse {name}", changed_words.worsened)


def _show(title: str, words: tuple[ChangedWord, ...]) -> None:
    rows = [["word", "asked", "nats", "p before", "p now", "where it moved most"]]
    for word in words:
        place = word.contexts[0]
        before, after = place.before[-_CONTEXT_CELLS:], place.after[:_CONTEXT_CELLS]
        rows.append(
            [
                word.word,
                str(word.count),
                f"{word.gain:+.1f}",
                numbers.share(word.probability_a),
                numbers.share(word.probability_b),
                f"{before} «{word.word}» {after}",
            ]
        )
    if len(rows) > 1:
        show_table(title, rows, frozenset({1, 2, 3, 4}))
