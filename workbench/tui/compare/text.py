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
    for one in runs:
        status = f"  {mark(one.run.status).symbol} {one.run.status}"
        name = numbers.clip(f"{one.run.id} {printable(one.run.name)}", width - 3 - len(status))
        yield Text(f"{one.letter}  ", "bold", no_wrap=True).append(f"{name}{status}", "not bold")


def ranking(runs: Sequence[ComparedRun], comparison: Comparison | None, wrong: str) -> Iterator[Text]:
    """The ranking in sentences. `comparison` None: it is still being computed."""
    yield Text("Which is better, on the yardstick", "bold")
    if wrong:
        yield Text(printable(wrong))
        return
    if comparison is None:
        yield Text("Comparing chunk by chunk …")
        return
    letters = {one.run.id: one.letter for one in runs}
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
        ("test, own", lambda one: numbers.perplexity(one.run.eval_perplexity)),
        ("  best", lambda one: numbers.perplexity(one.run.best_eval_perplexity)),
        ("  before training", lambda one: numbers.perplexity(one.run.baseline_perplexity)),
        ("train", lambda one: numbers.perplexity(one.run.train_perplexity)),
        ("steps", lambda one: numbers.count(one.run.step)),
        ("epochs", lambda one: numbers.decimal(one.run.epoch)),
        ("tokens seen", lambda one: numbers.compact(one.tokens_seen)),
        ("tokens/s", lambda one: numbers.compact(one.run.tokens_per_second)),
        ("duration", lambda one: numbers.duration(elapsed(one.run, now))),
    ]
    yield Text("Final metrics", "bold")
    yield _row("", [one.letter for one in runs], width, "bold")
    scores = {one.id: one for one in comparison.runs} if comparison else {}
    for title, name in (("yardstick", "yardstick_perplexity"), ("  before training", "base_perplexity")):
        values = [getattr(scores.get(_id(one.run)), name, None) for one in runs]
        yield _row(title, [numbers.perplexity(value) for value in values], width)
    errors = [getattr(scores.get(_id(one.run)), "yardstick_error", None) for one in runs]
    yield _row("  its error", [_error(one) for one in errors], width)
    older = [getattr(scores.get(_id(one.run)), "older_perplexity", None) for one in runs]
    if any(value is not None for value in older):
        yield _row("  tokens-1", [numbers.perplexity(value) for value in older], width)
    for title, cell in rows:
        yield _row(title, [cell(one) for one in runs], width)


def differing(compared: Sequence[ComparedRun], width: int) -> Iterator[Text]:
    """The recipe fields in which the runs differ."""
    runs = [one.run for one in compared]
    found = differences(runs)
    for sentence in unknown_fields(runs):
        yield Text(printable(sentence))
    if not found:
        yield Text("Their recipes are equal.", "bold")
        return
    yield Text("Recipe differences", "bold")
    yield _row("", [one.letter for one in compared], width, "bold")
    for name, values in found.items():
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
