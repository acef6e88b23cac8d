"""The column titles of the list of runs, with the sort arrow and a hint at hidden columns."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.widgets import Static

from workbench.display import numbers
from workbench.tui.runs.columns import GAP, Column
from workbench.tui.runs.layout import Layout

UP, DOWN = "▲", "▼"
BEFORE, AFTER = "‹", "›"


class RunHeader(Static):
    """Follows a `RunTable`. A click on a title sorts by it."""

    DEFAULT_CSS = """
    RunHeader { height: 1; padding: 0 0 0 1; text-style: underline; color: $text-muted; text-wrap: nowrap; }
    RunHeader:ansi { color: ansi_default; }
    """

    @dataclass
    class Clicked(Message):
        """The title of this column was clicked."""

        key: str

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._layout = Layout()
        self._sorted_by, self._descending = "", False

    def lay_out(self, layout: Layout) -> None:
        """Align with these columns."""
        self._layout = layout
        self._redraw()

    def show_order(self, key: str, descending: bool) -> None:
        """Show by which column the list is sorted."""
        self._sorted_by, self._descending = key, descending
        self._redraw()

    def _redraw(self) -> None:
        gap = " " * GAP
        layout = self._layout
        pairs = zip(layout.columns, layout.widths, strict=True)
        text = gap.join(self._title(column, width) for column, width in pairs)
        if layout.before:
            first = sum(layout.widths[:3]) + 2 * GAP
            text = text[:first] + BEFORE + text[first + 1 :]
        if layout.after:
            width = self.size.width or cell_len(text)
            text = numbers.fit(text, width - 1) + AFTER
        self.update(text.rstrip())

    def _title(self, column: Column, width: int) -> str:
        title = column.title
        if column.key == self._sorted_by:
            arrow = DOWN if self._descending else UP
            title = f"{title[: max(width - 1, 0)]}{arrow}"
        return numbers.fit(title, width, "right" if column.right else "left")

    def on_resize(self) -> None:
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        edge = self.styles.padding.left
        for column, width in zip(self._layout.columns, self._layout.widths, strict=True):
            if edge <= event.x < edge + width:
                self.post_message(self.Clicked(column.key))
                return
            edge += width + GAP
