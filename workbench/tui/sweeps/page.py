"""Many scrolling lines of styled text, of which only the visible ones are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class Page(ScrollView, can_focus=False):
    """Shows sections of lines without wrapping them."""

    DEFAULT_CSS = """
    Page { height: 1fr; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Text] = []
        self._starts: list[int] = []

    def show(self, sections: Sequence[Sequence[Text]]) -> None:
        """Draw these, with a blank line in between; drawing the same ones again costs nothing."""
        lines: list[Text] = []
        starts = []
        for section in sections:
            if lines:
                lines.append(Text(""))
            starts.append(len(lines))
            lines += section
        if lines == self._lines:
            return
        self._lines, self._starts = lines, starts
        self.virtual_size = Size(self.scrollable_content_region.width, len(lines))
        self.refresh()

    def to_next_section(self) -> None:
        """Scroll to the next section; from the last back to the top."""
        top = round(self.scroll_y)
        later = [start for start in self._starts if top < start <= self.max_scroll_y]
        hidden = [start for start in self._starts if start > top]
        end = self.max_scroll_y if hidden and top < self.max_scroll_y else 0
        self.scroll_to(y=later[0] if later else end, animate=False)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))

    def render_line(self, y: int) -> Strip:
        at, width, base = y + round(self.scroll_y), self.scrollable_content_region.width, self.rich_style
        if at >= len(self._lines):
            return Strip.blank(width, base)
        line, console = self._lines[at], self.app.console
        strip = Strip(segment for segment in line.render(console) if segment.text != "\n")
        return strip.apply_style(base + console.get_style(line.style)).adjust_cell_length(width, base)
