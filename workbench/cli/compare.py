"""`compare`: which run is better, and with what certainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.completion import offer_runs
from workbench.cli.options import AsJson, Db, open_store
from workbench.cli.output import print_json
from workbench.cli.sweep_show import draw
from workbench.cli.tables import show_table
from workbench.display import numbers
from workbench.errors import UsageError
from workbench.metrics import change
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison

Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN RUN...", help="Ids, names, or `latest`.", autocompletion=offer_runs),
]


def compare(
    context: typer.Context,
    runs: Runs,
    best: Annotated[
        bool, typer.Option("--best", help="The best checkpoint of each run, not its newest.")
    ] = False,
    plot: Annotated[
        bool,
        typer.Option(
            "--plot", help="Draw a heat map of the differences, the effect of each field, and curves."
        ),
    ] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Compare runs on the yardstick: their differences, whether they can be ranked, and which is better.

    `A  B  better by 3 %` means that B is better: its perplexity is 3 % lower than A's.
    """
    from workbench.analysis.compare import compare_runs
    from workbench.worker import liveness

    store = open_store(context, db)
    liveness.refresh(store)
    ids = list(dict.fromkeys(store.find(run).id for run in runs))
    if len(ids) < 2:
        raise UsageError("Give at least two runs.", "`mlm-workbench runs` lists them.")
    comparison = compare_runs(
        store, [run_id for run_id in ids if run_id], checkpoint="best" if best else "last"
    )
    if as_json:
        print_json(comparison.to_json())
    else:
        _show(comparison)
        if plot:
            from workbench.analysis.sweep_table import sweep_table

            draw(store, sweep_table(store, [store.run(run_id) for run_id in ids if run_id]), plot=True)


def _show(comparison: Comparison) -> None:
    older = any(run.older_perplexity is not None for run in comparison.runs)
    rows = [["run", "name", "seed", "step", "yardstick", "error", "before", "own test"]]
    rows[0] += ["tokens-1"] * older
    rows += [
        [
            str(run.id),
            run.name,
            _shown(run.seed),
            numbers.count(run.step),
            numbers.perplexity(run.yardstick_perplexity),
            percent(run.yardstick_error),
            numbers.perplexity(run.base_perplexity) + ("*" if run.base_untrained else ""),
            numbers.perplexity(run.eval_perplexity),
            *([numbers.perplexity(run.older_perplexity)] if older else []),
        ]
        for run in comparison.runs
    ]
    show_table("Perplexity on the yardstick", rows, frozenset({0, 2, 3, 4, 5, 6, 7, 8}))
    if comparison.differences:
        titles = ["field", *(f"run {run.id}" for run in comparison.runs)]
        values = [[field, *map(_shown, values)] for field, values in comparison.differences.items()]
        show_table("Differences", [titles, *values])
    if comparison.pairs:
        names = {run.id: f"{run.id} {run.name}" for run in comparison.runs}
        rows = [["from", "to", "the second is", "p", "documents", "by token"]]
        rows += [
            [
                names[pair.a],
                names[pair.b],
                pair.verdict,
                _p(pair.p_value),
                f"{pair.documents:,}",
                signed_percent(change(pair.token_log_ratio)),
            ]
            for pair in comparison.pairs
        ]
        show_table("Pairs in the mean document, with 95 % intervals", rows, frozenset({3, 4, 5}))
    if comparison.groups:
        rows = [["recipe", "runs", "perplexity", "spread over seeds"]]
        rows += [
            [
                group.label,
                ", ".join(map(str, group.runs)),
                numbers.perplexity(group.perplexity),
                numbers.NOTHING if group.spread is None else f"{100 * group.spread:.2g} %",
            ]
            for group in comparison.groups
        ]
        show_table("Recipes over seeds", rows, frozenset({2, 3}))
        rows = [["from", "to", "the second is", "p", "p, seeds alone"]]
        rows += [
            [
                comparison.groups[pair.a].label,
                comparison.groups[pair.b].label,
                pair.verdict,
                _p(pair.p_value),
                _p(pair.p_seeds),
            ]
            for pair in comparison.group_pairs
        ]
        if len(rows) > 1:
            show_table("Recipes, with 95 % intervals", rows, frozenset({3, 4}))
    for line in comparison.warnings:
        print(printable(f"Warning: {line}"))
    for line in comparison.why_not:
        print(printable(f"Cannot rank: {line}"))
    for line in comparison.notes:
        print(printable(f"Note: {line}"))


def percent(share: float | None) -> str:
    """A share with two digits, `1.2 %`."""
    return numbers.NOTHING if share is None else f"{100 * share:.2g} %"


def signed_percent(share: float) -> str:
    """A share with its sign, `+1.2 %`."""
    return f"{100 * share:+.1f} %".replace("inf", "∞")


def _shown(value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
