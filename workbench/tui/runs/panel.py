"""The panel beside the list: the run's curve, its metrics, and how its recipe differs from a preset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from workbench.caveats import warnings_of
from workbench.display import numbers
from workbench.display.run import STAR, as_shown, doing
from workbench.display.where import waiting_for, where
from workbench.text import printable
from workbench.tui.widgets.chart import Chart

if TYPE_CHECKING:
    from workbench.store import Run
    from workbench.store.run_lines import RunLine
    from workbench.tui.runs.details import About

_TITLE = 22
"""Cells for the names of recipe fields."""


class RunPanel(Vertical):
    """Shows at once what the list knows of a run, and the rest when it has been read."""

    DEFAULT_CSS = """
    RunPanel { width: 44; padding: 0 1; border-left: solid $panel; }
    RunPanel:ansi { border-left: solid ansi_default; }
    RunPanel #about-head { height: 2; text-wrap: nowrap; }
    RunPanel Chart { height: 12; max-height: 40%; }
    RunPanel VerticalScroll { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._about: About | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="about-head", markup=False)
        yield Chart(title="ppl", empty="no metrics yet")
        with VerticalScroll(can_focus=False):
            yield Static("", id="about-recipe", markup=False)

    def show_line(self, line: RunLine | None, standstill: str = "") -> None:
        """Show the head of this run and drop another's. `standstill`: why it seems to stall."""
        head = Text("", no_wrap=True, end="")
        if line is not None:
            width = max(self.size.width - 2, 10)
            star = f" {STAR}" if line.starred else ""
            head.append(numbers.clip(f"{line.id} {printable(line.name)}", width - len(star)) + star, "bold")
            head.append("\n" + numbers.clip(printable(summary(line, standstill)), width))
        self._put("#about-head", head)
        if self._about is not None and (line is None or self._about.run.id != line.id):
            self._about = None
            self.query_one(Chart).show([])
            self._put("#about-recipe", Text(""))

    def show_about(self, about: About) -> None:
        """Show the curve and the recipe."""
        self._about = about
        self.query_one(Chart).show(about.series)
        width = max(self.size.width - 4, 20)
        self._put("#about-recipe", Text("\n", end="").join(described(about, width)))

    def on_resize(self) -> None:
        if self._about is not None:
            self.show_about(self._about)

    def _put(self, where: str, text: Text) -> None:
        shown = self.query_one(where, Static)
        if shown.content != text:
            shown.update(text)


def summary(line: RunLine, standstill: str = "") -> str:
    """Status and progress in one line."""
    parts = [" ".join(doing(line, standstill))]
    if line.step:
        parts.append(f"step {numbers.count(line.step)}/{numbers.count(line.total_steps)}")
    if line.tokens_per_second:
        parts.append(f"{numbers.compact(line.tokens_per_second)} tokens/s")
    return " · ".join(parts)


def described(about: About, width: int) -> Iterator[Text]:
    """Metrics, then the recipe, with differences from the nearest preset first; in lines of `width` cells."""
    run = about.run
    for sentence in _what_went_wrong(run):
        yield Text(printable(sentence), "bold")
        yield Text("")
    for title, value in (
        ("before training", run.baseline_perplexity),
        ("test", run.eval_perplexity),
        ("best test", run.best_eval_perplexity),
        ("yardstick", run.yardstick_perplexity),
    ):
        yield _fact(title, numbers.perplexity(value), width)
    if run.tags:
        yield _fact("tags", " ".join(run.tags), width)
    if run.note:
        yield Text(f"“{printable(run.note)}”", "italic")
    yield from _where_it_runs(run, width)
    yield Text("")
    if not run.recipe:  # an imported run whose log has no recipe
        return
    count = len(about.differences)
    if count:
        yield Text(f"{count} field{'' if count == 1 else 's'} changed from preset {about.preset}:", "bold")
        for name, value in about.differences.items():
            yield _fact(name, as_shown(value), width)
        yield Text("")
        yield Text("Unchanged:", "bold")
    else:
        yield Text(f"Preset {about.preset}, unchanged:", "bold")
    for name, value in run.recipe.items():
        if name not in about.differences:
            yield _fact(name, as_shown(value), width)


def _where_it_runs(run: Run, width: int) -> Iterator[Text]:
    if run.place_engine:
        yield _fact("where", where(run), width)
    if (processes := run.engine.get("processes") or run.processes or 1) > 1:
        yield _fact("processes", str(processes), width)
    if waits := waiting_for(run):
        yield Text(f"waits: {printable(waits)}", "italic")


def _what_went_wrong(run: Run) -> Iterator[str]:
    if run.error:
        hint = f" {run.error_hint}" if run.error_hint else ""
        yield run.error.partition("\n")[0] + hint
    for warning in warnings_of(run):
        yield f"! {warning}"


def _fact(title: str, value: str, width: int) -> Text:
    return Text(
        f"{numbers.fit(printable(title), _TITLE)} {numbers.clip(printable(value), width - _TITLE - 1)}"
    )
