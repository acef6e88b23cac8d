"""The texts of a comparison: the runs, their ranking, metrics and differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from workbench.analysis.differences import differences, unknown_fields
from workbench.analysis.wording import NO_DIFFERENCE
from workbench.display import numbers
from workbench.display.run import as_shown, elapsed
from workbench.display.status import mark
from workbench.text import printable
from workbench.tui.compare.reader import ComparedRun

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison
    from workbench.store import Run

_LABEL = 17
"""Cells for a line's label."""
_NARROWEST, _WIDEST = 7, 24


def who(runs: Sequence[ComparedRun], width: int) -> Iterator[Text]:
    """Letter, id, name and status of each run."""
    for run in runs:
        status = f"  {mark(run.run.status).symbol} {run.run.status}"
        name = numbers.clip(f"{run.run.id} {printable(run.run.name)}", width - 3 - len(status))
        yield Text(f"{run.letter}  ", "bold", no_wrap=True).append(f"{name}{status}", "not bold")


def ranking(runs: Sequence[ComparedRun], comparison: Comparison | None, wrong: str) -> Iterator[Text]:
    """The ranking in sentences. `comparison` None: it is still being computed."""
    yield Text("Which is better, on the yardstick", "bold")
    if wrong:
        yield Text(printable(wrong))
        return
    if comparison is None:
        yield Text("Comparing chunk by chunk …")
        return
    letters = {run.run.id: run.letter for run in runs}
    for pair in comparison.pairs:
        a, b = letters[pair.a], letters[pair.b]
        p = "p < 0.001" if pair.p_value < 0.001 else f"p = {pair.p_value:.3f}"
        if pair.verdict.startswith(NO_DIFFERENCE):
            yield Text(f"{a} and {b}: {pair.verdict}, {p}")
        else:
            yield Text(f"{b} is {pair.verdict} than {a}, {p}")
    for line in comparison.warnings:
        yield Text(f"Warning: {printable(line)}")
    for line in comparison.why_not:
        yield Text(f"Cannot rank: {printable(line)}")
    for line in comparison.notes:
        yield Text(f"Note: {printable(line)}")


def final_figures(
    runs: Sequence[ComparedRun], comparison: Comparison | None, width: int, now: float
) -> Iterator[Text]:
    """Final metrics, one column per run."""
    rows: list[tuple[str, Callable[[ComparedRun], str]]] = [
        ("test, own", lambda compared: numbers.perplexity(compared.run.eval_perplexity)),
        ("  best", lambda compared: numbers.perplexity(compared.run.best_eval_perplexity)),
        ("  before training", lambda compared: numbers.perplexity(compared.run.baseline_perplexity)),
        ("train", lambda compared: numbers.perplexity(compared.run.train_perplexity)),
        ("steps", lambda compared: numbers.count(compared.run.step)),
        ("epochs", lambda compared: numbers.decimal(compared.run.epoch)),
        ("tokens seen", lambda compared: numbers.compact(compared.tokens_seen)),
        ("tokens/s", lambda compared: numbers.compact(compared.run.tokens_per_second)),
        ("duration", lambda compared: numbers.duration(elapsed(compared.run, now))),
    ]
    yield Text("Final metrics", "bold")
    yield _row("", [run.letter for run in runs], width, "bold")
    scores = {run.id: run for run in comparison.runs} if comparison else {}
    for title, name in (("yardstick", "yardstick_perplexity"), ("  before training", "base_perplexity")):
        values = [getattr(scores.get(_id(run.run)), name, None) for run in runs]
        yield _row(title, [numbers.perplexity(value) for value in values], width)
    errors = [getattr(scores.get(_id(run.run)), "yardstick_error", None) for run in runs]
    yield _row("  its error", [_error(error) for error in errors], width)
    older = [getattr(scores.get(_id(run.run)), "older_perplexity", None) for run in runs]
    if any(value is not None for value in older):
        yield _row("  tokens-1", [numbers.perplexity(value) for value in older], width)
    for title, cell in rows:
        yield _row(title, [cell(compared) for compared in runs], width)


def differing(compared: Sequence[ComparedRun], width: int) -> Iterator[Text]:
    """The recipe fields in which the runs differ."""
    runs = [run.run for run in compared]
    fields = differences(runs)
    for sentence in unknown_fields(runs):
        yield Text(printable(sentence))
    if not fields:
        yield Text("Their recipes are equal.", "bold")
        return
    yield Text("Recipe differences", "bold")
    yield _row("", [run.letter for run in compared], width, "bold")
    for name, values in fields.items():
        yield _row(name, [as_shown(value) for value in values], width)


def _row(title: str, cells: Sequence[str], width: int, style: str = "") -> Text:
    room = (width - _LABEL) // max(len(cells), 1) - 1
    each = min(max(room, _NARROWEST), _WIDEST)
    text = " ".join(numbers.fit(printable(cell), each, "right") for cell in cells)
    return Text(f"{numbers.fit(printable(title), _LABEL)} {text}", style, no_wrap=True)


def _error(share: float | None) -> str:
    return numbers.NOTHING if share is None else f"{100 * share:.2g} %"


def _id(run: Run) -> Any:
    return run.id
