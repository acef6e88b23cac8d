"""`cloze`: score runs' checkpoints on sentences with expected words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.analysis.cloze import rank_changes, read_suite
from workbench.cli.bar import Bar, quiet_libraries
from workbench.cli.completion import offer_runs
from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import print_json
from workbench.cli.tables import show_table
from workbench.display import numbers
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.analysis.cloze import RankChange
    from workbench.store import Checkpoint, Cloze, Run, Store

_MOST_TURNS = 10


def cloze(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A file of lines such as: The capital of [MASK] is Paris. -> france"
        ),
    ],
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Ids, names, or `latest`.", autocompletion=offer_runs),
    ],
    last: Annotated[
        bool, typer.Option("--last", help="Only the newest checkpoint of each run, not all of them.")
    ] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Score a file of sentences with missing words at every checkpoint of runs, and before training.

    Top-1 and top-5 are the shares of sentences whose expected word ranks first, or among the first five; MRR
    is the mean of 1 / rank. Earlier scores are reused.
    """
    suite = read_suite(file)
    store = open_store(context, db)
    chosen = [store.find(run) for run in runs]

    quiet_libraries()
    from workbench.analysis.cloze_runs import score_base, score_checkpoint

    scored: list[tuple[Run, list[tuple[Checkpoint | None, Cloze]]]] = []
    with Bar() as bar:
        for run in chosen:
            saved = _checkpoints(store, run, last)
            bar.begin(f"run {run.id}")
            rows: list[tuple[Checkpoint | None, Cloze]] = [(None, score_base(store, suite, run))]
            for done, checkpoint in enumerate(saved, start=1):
                bar.at(done, len(saved) + 1)
                rows.append((checkpoint, score_checkpoint(store, suite, run, checkpoint)))
            scored.append((run, rows))
    if as_json:
        print_json(
            {
                "suite": suite.name,
                "fingerprint": suite.fingerprint,
                "runs": [
                    {"run": run.id, "name": run.name, "scores": [_as_json(score) for _, score in rows]}
                    for run, rows in scored
                ],
            }
        )
        return
    _show_table(store, suite.name, scored)
    for run, rows in scored:
        first, newest = rows[0][1], rows[-1][1]
        _show_rank_changes(
            f"Run {run.id} {run.name}, before training and now", list(rank_changes(first, newest))
        )
    _show_left_out(scored[0][1][-1][1])


def _checkpoints(store: Store, run: Run, last: bool) -> list[Checkpoint]:
    saved = store.checkpoints(run.id)
    return saved[-1:] if last else saved


def _as_json(score: Cloze) -> dict[str, Any]:
    names = ("step", "items", "top1", "top5", "mean_reciprocal_rank", "answers")
    return {name: getattr(score, name) for name in names}


def _show_table(
    store: Store, suite: str, scored: list[tuple[Run, list[tuple[Checkpoint | None, Cloze]]]]
) -> None:
    table = [["run", "step", "top-1", "top-5", "MRR", "fixed", "broke", "perplexity"]]
    for run, rows in scored:
        base = run.baseline_perplexity
        before: Cloze | None = None
        for saved, score in rows:
            turned = list(rank_changes(before, score)) if before else []
            table.append(
                [
                    f"{run.id} {run.name}",
                    f"{score.step:,}",
                    numbers.share(score.top1),
                    numbers.share(score.top5),
                    f"{score.mean_reciprocal_rank:.3f}",
                    str(sum(turn.fixed for turn in turned)) if before else "",
                    str(sum(turn.broke for turn in turned)) if before else "",
                    numbers.perplexity(saved.eval_perplexity if saved else base),
                ]
            )
            before = score
    items = scored[0][1][-1][1].items
    show_table(f"{suite}: {items} sentences; perplexity on the run's own test", table, frozenset(range(1, 8)))


def _show_rank_changes(title: str, turned: list[RankChange]) -> None:
    """The items that changed most, worst first."""
    if not turned:
        return
    turned.sort(key=lambda turn: (not turn.broke, not turn.fixed, -abs(1 / turn.after - 1 / turn.before)))
    rows = [["line", "sentence", "expected", "rank", "now", ""]]
    rows += [
        [
            str(turn.line),
            turn.text,
            " | ".join(turn.expected),
            f"{turn.before:,}",
            f"{turn.after:,}",
            "broke" if turn.broke else "fixed" if turn.fixed else "",
        ]
        for turn in turned[:_MOST_TURNS]
    ]
    show_table(title, rows, frozenset({0, 3, 4}))


def _show_left_out(score: Cloze) -> None:
    for answer in score.answers:
        if answer["left_out"]:
            print(printable(f"Left out, line {answer['line']}: {answer['left_out']}."))
