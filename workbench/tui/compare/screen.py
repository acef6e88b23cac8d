"""Two to eight runs side by side: their curves, their ranking, metrics and differences."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.analysis.compare import compare_runs
from workbench.errors import WorkbenchError
from workbench.tui.actions import bindings
from workbench.tui.compare.overlay import RunOverlay
from workbench.tui.compare.reader import AXES, CURVES, ComparedRun, Contest
from workbench.tui.compare.text import differing, final_figures, ranking, who
from workbench.tui.screen import TitleBar, WorkbenchScreen
from workbench.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison


class CompareScreen(WorkbenchScreen):
    """Ranks only what `analysis` ranks."""

    CSS_PATH = "screen.tcss"
    TITLE = "Compare"
    HELP = """
The runs' curves in one chart, each with its letter. A test curve is the run's own test: where chunk size,
mask probability or text differ, the tests differ too. Only the yardstick, one test for all runs, says which
is better: chunk by chunk, with 95 % intervals from a paired bootstrap.

A run without a yardstick score is named but not ranked; `mlm-workbench yardstick RUN` scores it.
"""
    BINDINGS: ClassVar[list[BindingType]] = bindings("compare")

    def __init__(self, run_ids: Sequence[int]) -> None:
        super().__init__()
        self._run_ids = list(run_ids)
        self._contest: Contest | None = None
        self._runs: list[ComparedRun] = []
        self._axis, self._curve = next(iter(AXES)), next(iter(CURVES))
        self._which: Literal["last", "best"] = "last"
        self._compared: object = None
        self._comparison: Comparison | None = None
        self._wrong = ""

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield RunOverlay()
        with VerticalScroll(id="words", can_focus=False):
            yield Static("", id="said", markup=False)
        yield KeyFooter()

    def read(self) -> list[ComparedRun]:
        if self._contest is None:
            self._contest = Contest(self.workbench.store, self._run_ids)
        return self._contest.read()

    def show(self, data: list[ComparedRun]) -> None:
        self._runs = data
        self._draw()
        # Scores are made when a run ends; until then the ranking stays.
        state = (self._which, *((run.run.status, run.run.yardstick_perplexity) for run in data))
        if state != self._compared:
            self._compared = state
            self._comparison, self._wrong = None, ""
            self.run_worker(self._compare(state), group="compare", exclusive=True)

    async def _compare(self, state: object) -> None:
        try:
            comparison = await asyncio.to_thread(
                compare_runs, self.workbench.store, self._run_ids, checkpoint=self._which
            )
        except WorkbenchError as error:
            comparison, self._wrong = None, f"{error.message} {error.hint}"
        if state == self._compared and self.is_attached:
            self._comparison = comparison
            self._draw()

    def _draw(self) -> None:
        if not self._runs:
            return
        self.query_one(RunOverlay).overlay(self._runs, self._curve, self._axis)
        count = len(self._runs)
        self.query_one(TitleBar).show(
            f"{count} runs compared", f"{self._which} checkpoints", f"curves by {self._axis}"
        )
        width = max(self.size.width - 4, 20)
        sections = (
            who(self._runs, width),
            ranking(self._runs, self._comparison, self._wrong),
            final_figures(self._runs, self._comparison, width, self.workbench.clock()),
            differing(self._runs, width),
        )
        wanted = Text("\n\n", end="").join(Text("\n", end="").join(section) for section in sections)
        said = self.query_one("#said", Static)
        if said.content != wanted:
            said.update(wanted)

    def on_resize(self) -> None:
        self._draw()

    def action_axis(self) -> None:
        self._axis = _after(list(AXES), self._axis)
        self._draw()

    def action_curve(self) -> None:
        self._curve = _after(list(CURVES), self._curve)
        self._draw()

    def action_log(self) -> None:
        chart = self.query_one(RunOverlay)
        chart.log_axis = not chart.log_axis

    def action_which(self) -> None:
        self._which = "best" if self._which == "last" else "last"
        self.reload()

    def action_scroll(self, by: int) -> None:
        self.query_one("#words").scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        words = self.query_one("#words")
        words.scroll_relative(y=by * max(words.size.height - 1, 1), animate=False)

    def action_edge(self, to: int) -> None:
        words = self.query_one("#words")
        words.scroll_to(y=0 if to < 0 else words.max_scroll_y, animate=False)


def _after(choices: Sequence[str], chosen: str) -> str:
    return choices[(list(choices).index(chosen) + 1) % len(choices)]
