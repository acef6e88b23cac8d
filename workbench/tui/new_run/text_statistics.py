"""The statistics of a recipe's text, before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from workbench.display.corpus_stats import described
from workbench.errors import WorkbenchError
from workbench.recipe import Recipe
from workbench.text import amount, printable
from workbench.tui.actions import bindings

if TYPE_CHECKING:
    from workbench.tui.new_run.preview_pane import PreviewPane


class TextStatistics(ModalScreen[None]):
    """Reads the whole text, as training would. Leaving cancels it; what was read is cached."""

    CSS_PATH = "text_statistics.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = bindings("form.statistics")

    def __init__(self, recipe: Recipe, pane: PreviewPane) -> None:
        """`pane`: whose process reads the text."""
        super().__init__()
        self._recipe, self._pane = recipe, pane

    def compose(self) -> ComposeResult:
        recipe = self._recipe
        with VerticalScroll(id="page"):
            yield Static(printable(f"Dataset {recipe.dataset}"), id="title", markup=False)
            yield Static(printable(f"in the tokens of {recipe.model}"), id="model", markup=False)
            yield Static("Reading the text…", id="told", markup=False)
            yield Static("Esc closes this page.", id="end", markup=False)

    def on_mount(self) -> None:
        self._count()

    @work(group="statistics", exclusive=True)
    async def _count(self) -> None:
        try:
            model = await self._pane.model_of(self._recipe)
            statistics = await self._pane.client.statistics(self._recipe, model, self._tell_progress)
        except WorkbenchError as error:
            self._tell(f"✗ {error.message} {error.hint}")
            return
        self._pane.post_message(self._pane.Counted(self._recipe, statistics["counts"]))
        self._tell("\n".join([described(statistics), "", *statistics["notes"]]))

    def _tell_progress(self, progress: Any) -> None:
        phase, done, total, unit = progress
        share = f" ({done / total:.0%})" if total else ""
        self._tell(f"{str(phase).capitalize()}: {amount(done, total, unit)}{share}")

    def _tell(self, text: str) -> None:
        self.query_one("#told", Static).update(printable(text, keep_newlines=True))

    def action_close(self) -> None:
        self.dismiss()

    def action_scroll_by(self, lines: int) -> None:
        self.query_one("#page").scroll_relative(y=lines, animate=False)
