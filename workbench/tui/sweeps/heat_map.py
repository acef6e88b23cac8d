"""The heat map of a sweep, with a cursor, in as many rows and columns as fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from workbench.display.sweep import Place, Sight, heat_lines
from workbench.tui.actions import bindings

if TYPE_CHECKING:
    from workbench.analysis.heat_map import HeatMap
    from workbench.analysis.sweep_table import Entry

_AROUND = 5
"""Lines of a map without cells: titles, a note on hidden cells, two lines of legend."""


class SweepMap(Widget, can_focus=True):
    """Arrow keys move from cell to cell and scroll."""

    DEFAULT_CSS = """
    SweepMap { height: auto; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("sweep.map")

    class Moved(Message):
        """The cursor moved to another cell."""

    @dataclass
    class Opened(Message):
        """The cell under the cursor was clicked."""

        entry: Entry

    def __init__(self) -> None:
        super().__init__()
        self._picture: HeatMap | None = None
        self._cursor: Place = (0, 0)
        self._most_rows = 8
        self._sight = Sight(4, 1, 1)

    @property
    def entry(self) -> Entry | None:
        """The recipe under the cursor."""
        if self._picture is None:
            return None
        row, column = self._cursor
        return self._picture.cells[row][column]

    def show(self, picture: HeatMap | None, most_rows: int) -> None:
        """Draw this map in at most that many lines."""
        if picture == self._picture and most_rows == self._most_rows:
            return
        before = self._picture
        moved_in = picture is not None and (
            before is None or (before.down, before.across) != (picture.down, picture.across)
        )
        self._picture, self._most_rows = picture, most_rows
        if picture is not None:
            row, column = self._best(picture) if moved_in else self._cursor
            self._cursor = min(row, len(picture.cells) - 1), min(column, len(picture.across_labels) - 1)
        self.refresh(layout=True)
        self.post_message(self.Moved())

    @staticmethod
    def _best(picture: HeatMap) -> Place:
        """The cell of the best recipe, or the first cell with a recipe."""
        places = [
            (row, column)
            for row, cells in enumerate(picture.cells)
            for column, entry in enumerate(cells)
            if entry is not None
        ]
        best = [
            place for place in places if (one := picture.cells[place[0]][place[1]]) and one.mark == "best"
        ]
        return (best or places or [(0, 0)])[0]

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(width)) if self._picture is not None else 0

    def render(self) -> Text:
        return Text("\n", end="").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Text]:
        if self._picture is None or width < 1:
            return []
        sight = Sight.of(self._picture, width, max(self._most_rows - _AROUND, 2))
        kept = Sight(sight.label, sight.columns, sight.rows, self._sight.column, self._sight.row)
        last_row, last_column = (
            len(self._picture.cells) - sight.rows,
            len(self._picture.across_labels) - sight.columns,
        )
        self._sight = kept.within(last_row, last_column).with_cell(self._cursor)
        shades = not (self.app.no_color or self.app.native_ansi_color)
        return list(heat_lines(self._picture, width, shades=shades, sight=self._sight, cursor=self._cursor))

    def _go(self, row: int, column: int) -> None:
        if self._picture is None:
            return
        last_row, last_column = len(self._picture.cells) - 1, len(self._picture.across_labels) - 1
        cursor = min(max(row, 0), last_row), min(max(column, 0), last_column)
        if cursor != self._cursor:
            self._cursor = cursor
            self.refresh()
            self.post_message(self.Moved())

    def action_move(self, down: int, across: int) -> None:
        self._go(self._cursor[0] + down, self._cursor[1] + across)

    def action_edge(self, to: int) -> None:
        far = 1_000_000 * max(to, 0)
        self._go(far, far)

    def on_click(self, event: events.Click) -> None:
        cell = self._sight.cell_at(event.x - 1, event.y)
        if cell is None:
            return
        if cell == self._cursor and self.entry is not None:
            self.post_message(self.Opened(self.entry))
        self._go(*cell)
