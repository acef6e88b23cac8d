"""The list of runs: draws only the lines in sight and redraws only those that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from workbench.tui import figures
from workbench.tui.status import mark
from workbench.tui.widgets.run_columns import COLUMNS, GAP, STATUS, Row, widths


class RunTable(ScrollView, can_focus=True):
    """Rows under a cursor. The cursor stays on its run when others come and go."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"run-table--cursor", "run-table--cursor-blurred"}
    DEFAULT_CSS = """
    RunTable { height: 1fr; overflow-x: hidden; padding: 0 1; }
    RunTable > .run-table--cursor { background: $primary-muted; text-style: bold; }
    RunTable > .run-table--cursor-blurred { background: $surface; }
    RunTable:ansi > .run-table--cursor { background: ansi_default; text-style: bold reverse; }
    RunTable:nocolor > .run-table--cursor { text-style: bold reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False, tooltip="One run up"),
        Binding("down,j", "move(1)", show=False, tooltip="One run down"),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("home,g", "move(-1000000000)", show=False),
        Binding("end,G", "move(1000000000)", show=False),
    ]
    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Highlighted(Message):
        """The cursor is on this run now (None: there is none)."""

        run_id: int | None

    @dataclass
    class Opened(Message):
        """Enter or a click on the run that the cursor was on."""

        run_id: int

    @dataclass
    class Laid(Message):
        """The columns have these widths now; the header follows."""

        widths: list[int]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._widths = [column.least for column in COLUMNS]
        self._wanted: int | None = None

    @property
    def current(self) -> int | None:
        """The id of the run under the cursor."""
        return self._rows[self.cursor].id if self._rows else None

    def select(self, run_id: int) -> None:
        """Put the cursor on this run, now or when it comes."""
        self._wanted = run_id
        self.set_rows(self._rows)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these. Lines that say the same as before are not drawn again."""
        before, kept = self._rows, self.current
        self._rows = list(rows)
        places = {row.id: i for i, row in enumerate(self._rows)}
        at = places.get(kept, min(self.cursor, len(self._rows) - 1)) if kept is not None else 0
        if self._wanted in places:
            at, self._wanted = places[self._wanted], None
            self._refresh_row(self.cursor)
            self._refresh_row(at)
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
        changed_layout = self._lay_out()
        self.set_reactive(RunTable.cursor, max(at, 0))
        if changed_layout or len(before) != len(self._rows):
            self.refresh()
        else:
            for i, (old, new) in enumerate(zip(before, self._rows, strict=True)):
                if old != new:
                    self._refresh_row(i)
        if self.current != kept:
            self.post_message(self.Highlighted(self.current))
        self._show_cursor()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
        if self._lay_out():
            self.refresh()
        self._show_cursor()

    def on_mount(self) -> None:
        self._lay_out()

    def _lay_out(self) -> bool:
        given = widths(self._rows, self.scrollable_content_region.width)
        if given == self._widths:
            return False
        self._widths = given
        self.post_message(self.Laid(given))
        return True

    def _refresh_row(self, row: int) -> None:
        top = row - round(self.scroll_y)
        if 0 <= top < self.scrollable_content_region.height:
            self.refresh(Region(0, top, self.size.width + 2, 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self._refresh_row(old)
        self._refresh_row(new)
        self._show_cursor()
        self.post_message(self.Highlighted(self.current))

    def on_focus(self) -> None:
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        self._refresh_row(self.cursor)

    def _show_cursor(self) -> None:
        height = self.scrollable_content_region.height
        top = round(self.scroll_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif height and self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def action_move(self, by: int) -> None:
        if self._rows:
            self.cursor = min(max(self.cursor + by, 0), len(self._rows) - 1)

    def action_page(self, by: int) -> None:
        self.action_move(by * max(self.scrollable_content_region.height - 1, 1))

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def on_click(self, event: events.Click) -> None:
        row = event.y + round(self.scroll_y)
        if 0 <= row < len(self._rows):
            if row == self.cursor:
                self.action_open()
            self.cursor = row

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        width = self.scrollable_content_region.width
        at = y + round(self.scroll_y)
        if at >= len(self._rows):
            return Strip.blank(width, base)
        row = self._rows[at]
        style = base
        if at == self.cursor:
            name = "run-table--cursor" if self.has_focus else "run-table--cursor-blurred"
            style = base + self.get_component_rich_style(name, partial=True)
        segments = line_of(row.cells, self._widths, style, Style.parse(mark(row.status).style))
        return Strip(segments).adjust_cell_length(width, style)


def line_of(cells: Sequence[str], given: Sequence[int], style: Style, status: Style) -> list[Segment]:
    """The cells of one line, clipped and aligned."""
    gap = Segment(" " * GAP, style)
    segments: list[Segment] = []
    for i, (column, text, width) in enumerate(zip(COLUMNS, cells, given, strict=True)):
        # On the cursor's line in reverse a colour would become a background: the symbol and word are enough.
        own = style + status if i == STATUS and not style.reverse else style
        segments += [Segment(figures.fit(text, width, "right" if column.right else "left"), own), gap]
    return segments


class RunHeader(Static):
    """The titles over the columns of a `RunTable`."""

    DEFAULT_CSS = """
    RunHeader { height: 1; padding: 0 1; text-style: underline; color: $text-muted; }
    RunHeader:ansi { color: ansi_default; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def lay_out(self, given: Sequence[int]) -> None:
        """Put the titles over columns of these widths."""
        titles = [column.title for column in COLUMNS]
        self.update("".join(s.text for s in line_of(titles, given, Style.null(), Style.null())).rstrip())
