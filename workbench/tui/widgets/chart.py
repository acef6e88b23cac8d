"""Perplexity curves in braille, with a log axis, a baseline, labelled axes and a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from workbench.display.plot import Line, Series, draw


class Chart(Widget):
    """Shows `Series`. Redrawn only when data, size or axis change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--train",
        "chart--test",
        "chart--baseline",
        "chart--axis",
        "chart--legend",
    }
    DEFAULT_CSS = """
    Chart { height: 1fr; min-height: 5; }
    Chart > .chart--train { color: $primary; }
    Chart > .chart--test { color: $accent; text-style: bold; }
    Chart > .chart--baseline { color: $text-muted; }
    Chart > .chart--axis { color: $text-muted; }
    Chart > .chart--legend { color: $foreground; }
    Chart:ansi > .chart--train { color: ansi_bright_blue; }
    Chart:ansi > .chart--test { color: ansi_yellow; }
    Chart:ansi > .chart--baseline { color: ansi_default; }
    Chart:ansi > .chart--axis { color: ansi_default; }
    Chart:ansi > .chart--legend { color: ansi_default; }
    """

    log_axis: reactive[bool] = reactive(True)

    def __init__(self, *, title: str = "perplexity", empty: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = title
        self._empty = empty
        self._series: tuple[Series, ...] = ()
        self._lines: list[Line] = []
        self._lines_size = Size(0, 0)

    def show(self, series: Sequence[Series]) -> None:
        """Draw these series; drawing the same ones again costs nothing."""
        if (wanted := tuple(series)) != self._series:
            self._series = wanted
            self._redraw()

    def say_when_empty(self, text: str) -> None:
        """The text shown while there is no point to draw."""
        if text != self._empty:
            self._empty = text
            self._redraw()

    def watch_log_axis(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        """Draw again; only lines that changed are sent to the terminal."""
        before = self._lines
        self._draw()
        if len(before) != len(self._lines):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    def _draw(self) -> None:
        self._lines, self._lines_size = self._drawn(), self.size

    def _drawn(self) -> list[Line]:
        width, height = self.size
        if any(series.points for series in self._series):
            title = f"{self._title}, {'log' if self.log_axis else 'linear'}"
            return draw(self._series, width, height, log=self.log_axis, title=title)
        blank: list[Line] = [[] for _ in range(height // 2)]
        return [*blank, [(self._empty.center(width)[:width], "axis")]]

    def render_line(self, y: int) -> Strip:
        if self._lines_size != self.size:  # checked here, since not every change of size sends a Resize
            self._draw()
        base = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(self.size.width, base)
        segments = [Segment(text, base + self._style(name)) for text, name in self._lines[y]]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _style(self, name: str) -> Style:
        component = f"chart--{name}"
        if component not in self.COMPONENT_CLASSES:
            return Style.null()
        return self.get_component_rich_style(component)
