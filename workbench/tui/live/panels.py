"""Small panels: a metric's name, newest value and sparkline on one line, as many side by side as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget

from workbench.display import numbers
from workbench.display.curve import Point, thin

_BLOCKS = "▁▂▃▄▅▆▇█"
_NAME, _VALUE, _LEAST = 10, 9, 36


@dataclass(frozen=True, slots=True)
class Panel:
    """`low` and `high` are the ends of its scale; None: taken from the points."""

    name: str
    value: str
    points: Sequence[Point]
    low: float | None = None
    high: float | None = None


def sparkline(
    points: Sequence[Point], width: int, low: float | None = None, high: float | None = None
) -> str:
    """The points in `width` cells from first step to last; a cell shows its highest value."""
    if not points or width < 1:
        return ""
    columns = thin(points, width, points[0][0], max(points[-1][0], points[0][0] + 1e-9))
    bottom = min((column.low for column in columns), default=0.0) if low is None else low
    top = max((column.high for column in columns), default=1.0) if high is None else high
    cells = [" "] * width
    for column in columns:
        part = (column.high - bottom) / (top - bottom) if top > bottom else 0.0
        cells[column.x] = _BLOCKS[min(max(int(part * len(_BLOCKS)), 0), len(_BLOCKS) - 1)]
    return "".join(cells).rstrip()


class Panels(Widget):
    """Shows `Panel`s and one line of text under them; redrawn only when they change.

    Textual asks for its height before it has a width, so the height is computed and not measured.
    """

    DEFAULT_CSS = """
    Panels { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[list[Panel], str] = ([], "")

    def show(self, panels: list[Panel], line: str) -> None:
        """Show these. `line`: plain text, clipped to the width; "" for none."""
        if (panels, line) != self._shown:
            taller = (len(panels), bool(line)) != (len(self._shown[0]), bool(self._shown[1]))
            self._shown = (panels, line)
            self.refresh(layout=taller)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        panels, line = self._shown
        return -(-len(panels) // _abreast(len(panels), width)) + bool(line)

    def render(self) -> Text:
        return drawing(*self._shown, self.size.width)


def _abreast(panels: int, width: int) -> int:
    """How many fit on one line."""
    return max(min((width + 2) // (_LEAST + 2), panels), 1)


def drawing(panels: Sequence[Panel], line: str, width: int) -> Text:
    """The panels row by row, in columns of equal width."""
    text = Text(no_wrap=True, end="")
    abreast = _abreast(len(panels), width)
    each = (width - 2 * (abreast - 1)) // abreast
    for number, panel in enumerate(panels):
        if number:
            text.append("\n" if number % abreast == 0 else "  ")
        value = numbers.fit(panel.value, _VALUE, "right")
        text.append(numbers.fit(panel.name, _NAME), "bold").append(f"{value} ")
        room = each - _NAME - _VALUE - 1
        text.append(numbers.fit(sparkline(panel.points, room, panel.low, panel.high), room), "dim")
    if line:
        text.append(("\n" if panels else "") + numbers.clip(line, width))
    return text
