"""One sweep: its map with a cursor, details of the recipe under it, and the results of all."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from workbench.analysis.heat_map import heat_map
from workbench.display.status import sweep_word
from workbench.tui.actions import bindings
from workbench.tui.screen import TitleBar, WorkbenchScreen
from workbench.tui.sweeps import jobs
from workbench.tui.sweeps.heat_map import SweepMap
from workbench.tui.sweeps.page import Page
from workbench.tui.sweeps.reader import SweepLook, SweepReader, counts_text
from workbench.tui.sweeps.text import about, choices, sections
from workbench.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from workbench.analysis.heat_map import HeatMap
    from workbench.analysis.sweep_table import Entry

_MARGIN = 4
"""Columns without text: a blank on each side, and a scroll bar."""


class SweepScreen(WorkbenchScreen):
    """Watches one sweep, which continues whether or not it is watched."""

    CSS_PATH = "sweep_screen.tcss"
    TITLE = "Sweep"
    HELP = """
Every recipe of the sweep on the yardstick, one test for all. Lower is better; the higher the bar, the worse.
★ is the best; ≈ marks recipes not distinguishable from it: the difference is within what other test documents
and other seeds would change (95 %, corrected for their number). All other recipes are behind.

Keys act on the recipe under the cursor. With more than two fields a cell holds several recipes and shows the
best one; a shows the next two fields. Runs start one at a time, or one per GPU, and continue when you quit.
"""
    BINDINGS: ClassVar[list[BindingType]] = bindings("sweep")

    def __init__(self, sweep_id: int) -> None:
        super().__init__()
        self.sweep_id = sweep_id
        self._reader: SweepReader | None = None
        self._look: SweepLook | None = None
        self._axes = 0
        self._drawn: tuple[tuple[object, ...], list[list[Text]]] | None = None
        self._width = 76

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield SweepMap()
        yield Static("", id="about", markup=False)
        yield Page()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(SweepMap).focus()

    def read(self) -> tuple[SweepLook, HeatMap | None, list[list[Text]]]:
        if self._reader is None:
            self._reader = SweepReader(self.workbench.store, self.sweep_id)
        look = self._reader.read()
        drawn_of = (look.table, look.curves, self._width)
        if self._drawn is None or any(a is not b for a, b in zip(self._drawn[0], drawn_of, strict=True)):
            self._drawn = (drawn_of, sections(look, self._width))
        return look, heat_map(look.table, self._pair(look.table.fields)), self._drawn[1]

    def _pair(self, fields: list[str]) -> list[str]:
        pairs = [list(pair) for pair in combinations(fields, 2)] or [fields]
        return pairs[self._axes % len(pairs)]

    def show(self, data: tuple[SweepLook, HeatMap | None, list[list[Text]]]) -> None:
        self._look, picture, words = data
        look = self._look
        self.query_one(TitleBar).show(
            f"Sweep {look.sweep.id} {look.sweep.name}", sweep_word(look.state), counts_text(look.counts)
        )
        self.query_one(SweepMap).show(picture, max(self.size.height // 2, 8))
        self.query_one(Page).show(words)
        self._show_about()
        self.refresh_bindings()

    def _show_about(self) -> None:
        if self._look is not None:
            wanted = about(self._look, self.entry, max(self.size.width - 2, 10))
            shown = self.query_one("#about", Static)
            if shown.content != wanted:
                shown.update(wanted)

    @property
    def entry(self) -> Entry | None:
        """The recipe under the cursor; without a map, the only one."""
        if self._look is None:
            return None
        entries = self._look.table.entries
        if self._look.table.fields:
            return self.query_one(SweepMap).entry
        return entries[0] if entries else None

    def on_resize(self) -> None:
        self._width = max(self.size.width - _MARGIN, 16)
        if self._look is not None:
            self.reload()

    def on_sweep_map_moved(self) -> None:
        self._show_about()

    def on_sweep_map_opened(self) -> None:
        self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "axes":
            return self._look is None or len(self._look.table.fields) > 2
        return True

    def action_open(self) -> None:
        if self.entry is not None and self._look is not None:
            jobs.open_run(self, choices(self.entry, self._look))

    def action_axes(self) -> None:
        self._axes += 1
        self.reload()

    def action_view(self) -> None:
        self.query_one(Page).to_next_section()

    def action_pause(self) -> None:
        if self._look is not None:
            jobs.pause(self, self.sweep_id, self._look.sweep.name, self._look.state)

    def action_trim(self) -> None:
        if self._look is not None and self.entry is not None:
            waiting = self._look.waiting(self.entry.runs)
            jobs.trim(self, self.sweep_id, "this recipe", len(waiting), waiting)

    def action_trim_all(self) -> None:
        if self._look is not None:
            jobs.trim(self, self.sweep_id, f"“{self._look.sweep.name}”", self._look.counts.waiting)

    def action_extend(self) -> None:
        if self._look is not None:
            sweep = self._look.sweep
            search = bool(sweep.plan.get("trials"))
            jobs.extend(self, self.sweep_id, sweep.name, search=search)

    def action_shift(self, by: int) -> None:
        if self.entry is not None:
            jobs.move(self, "this recipe", self.entry.runs, by)

    def action_save(self) -> None:
        if self._look is not None:
            table = self._look.table
            jobs.save(self, self._look.sweep.name, lambda: table)

    def action_page(self, by: int) -> None:
        page = self.query_one(Page)
        page.scroll_relative(y=by * max(page.size.height - 1, 1), animate=False)
