"""The list of runs: renders only the visible lines, and redraws only those that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.display import numbers
from workbench.display.status import mark
from workbench.tui.actions import bindings
from workbench.tui.runs.columns import COLUMNS, GAP, LOOSE, Context
from workbench.tui.runs.layout import Layout, lay_out

if TYPE_CHECKING:
    from workbench.store.run_lines import RunLine

NO_CONTEXT = Context(0.0, {}, set())


class RunTable(ScrollView, can_focus=True):
    """Runs with a cursor, which stays on its run when others come and go."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"run-table--cursor", "run-table--cursor-blurred"}
    DEFAULT_CSS = """
    RunTable { height: 1fr; overflow-x: hidden; padding: 0 1; }
    RunTable > .run-table--cursor { background: $primary-muted; text-style: bold; }
    RunTable > .run-table--cursor-blurred { background: $surface; }
    RunTable:ansi > .run-table--cursor { background: ansi_default; text-style: bold reverse; }
    RunTable:nocolor > .run-table--cursor { text-style: bold reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("runs.table")
    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Highlighted(Message):
        """The cursor moved to this run; None: there are no runs."""

        run_id: int | None

    @dataclass
    class Opened(Message):
        """Enter, or a click on the run under the cursor."""

        run_id: int

    @dataclass
    class Laid(Message):
        """The columns changed; the header follows."""

        layout: Layout

    class Moved(Message):
        """Other runs may be visible now."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[RunLine] = ()
        self._drawn_with = NO_CONTEXT
        self._widths = [column.least for column in COLUMNS]
        self._first = 0
        self._layout = Layout()
        self._laid_width = 0
        self._drawn: dict[int, tuple[object, ...]] = {}
        self._wanted: int | None = None

    @property
    def current(self) -> int | None:
        """The id of the run under the cursor."""
        return self._lines[self.cursor].id if self._lines else None

    @property
    def in_sight(self) -> Sequence[RunLine]:
        """The visible runs."""
        top = round(self.scroll_y)
        return self._lines[top : top + self.scrollable_content_region.height]

    def select(self, run_id: int) -> None:
        """Put the cursor on this run, now or when it appears."""
        self._wanted = run_id
        self.set_lines(self._lines, self._drawn_with, self._widths)

    def set_lines(self, lines: Sequence[RunLine], context: Context, widths: Sequence[int]) -> None:
        """Show these runs. Unchanged lines are not redrawn."""
        count, kept = len(self._lines), self.current
        self._lines, self._drawn_with, self._widths = lines, context, list(widths)
        at = self._place_of(kept)
        self.virtual_size = Size(self.scrollable_content_region.width, len(lines))
        changed_layout = self._lay_out()
        self.set_reactive(RunTable.cursor, at)
        if changed_layout or len(lines) != count:
            self.refresh()
        else:
            self.refresh_changed()
        if self.current != kept:
            self.post_message(self.Highlighted(self.current))
        self._show_cursor()
        self.post_message(self.Moved())

    def _place_of(self, kept: int | None) -> int:
        """Where the cursor goes: to the run selected, or to the one it is on."""
        for wanted in (self._wanted, kept):
            if wanted is None:
                continue
            if self.cursor < len(self._lines) and self._lines[self.cursor].id == wanted:
                place: int | None = self.cursor
            else:
                place = next((i for i, line in enumerate(self._lines) if line.id == wanted), None)
            if place is not None:
                self._wanted = None if wanted == self._wanted else self._wanted
                return place
        return max(min(self.cursor, len(self._lines) - 1), 0) if kept is not None else 0

    def refresh_changed(self) -> None:
        """Redraw the visible lines that changed."""
        top = round(self.scroll_y)
        for y in range(self.scrollable_content_region.height):
            if self._drawn.get(y) != self._content(top + y):
                self.refresh(Region(0, y, self.size.width + 2, 1))

    def on_resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        if self._lay_out():
            self.refresh()
        self._show_cursor()
        self.post_message(self.Moved())

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        self.post_message(self.Moved())

    def _lay_out(self) -> bool:
        self._laid_width = self.scrollable_content_region.width
        layout = lay_out(self._widths, self._laid_width, self._first)
        if layout == self._layout:
            return False
        self._layout = layout
        self.post_message(self.Laid(layout))
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
        if self._lines:
            self.cursor = min(max(self.cursor + by, 0), len(self._lines) - 1)

    def action_page(self, by: int) -> None:
        self.action_move(by * max(self.scrollable_content_region.height - 1, 1))

    def action_columns(self, by: int) -> None:
        """Scroll the columns. The leftmost position shows the most important ones together."""
        if by > 0 and not self._layout.after:
            return
        self._first = min(max(self._first + by, 0), len(LOOSE))
        if self._lay_out():
            self.refresh()

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def on_click(self, event: events.Click) -> None:
        row = event.y + round(self.scroll_y)
        if 0 <= row < len(self._lines):
            if row == self.cursor:
                self.action_open()
            self.cursor = row

    def _content(self, at: int) -> tuple[object, ...]:
        """Everything that a line's look depends on, its cells first."""
        if at >= len(self._lines):
            return ()
        line = self._lines[at]
        cells = tuple(column.text(line, self._drawn_with) for column in self._layout.columns)
        return (cells, self._drawn_with.status_of(line), at == self.cursor)

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        width = self.scrollable_content_region.width
        if width != self._laid_width:  # a scroll bar may appear without a Resize
            self._lay_out()
        content = self._drawn[y] = self._content(y + round(self.scroll_y))
        if not content:
            return Strip.blank(width, base)
        cells, status, is_current = content
        assert isinstance(cells, tuple)
        style = base
        if is_current:
            name = "run-table--cursor" if self.has_focus else "run-table--cursor-blurred"
            style = base + self.get_component_rich_style(name, partial=True)
        # Without colours red would turn dark grey: the symbol alone must do.
        colour = Style.null() if self.app.no_color else Style.parse(mark(str(status)).style)
        segments = line_of(cells, self._layout, style, colour)
        return Strip(segments).adjust_cell_length(width, style)


def line_of(cells: Sequence[str], layout: Layout, style: Style, status: Style) -> list[Segment]:
    """The cells of one line, clipped and aligned."""
    gap = Segment(" " * GAP, style)
    segments: list[Segment] = []
    for column, text, width in zip(layout.columns, cells, layout.widths, strict=True):
        # On the cursor's reversed line a colour would become the background: symbol and word are enough.
        coloured = column.key in ("star", "status") and not style.reverse
        own = style + status if coloured else style
        segments += [Segment(numbers.fit(text, width, "right" if column.right else "left"), own), gap]
    return segments
