"""The curves of several runs in one chart, with a letter on each so that it works without colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from workbench.display.plot import Line, Series, draw
from workbench.tui.compare.reader import AXES, ComparedRun, dense
from workbench.tui.widgets.chart import Chart

LETTERS = "ABCDEFGH"
_STYLES = ("bright_blue", "yellow", "green", "magenta", "cyan", "red", "white", "bright_black")
_COLOURS = ("#5fafff", "#ffaf5f", "#87d787", "#d787d7", "#5fd7d7", "#ff6f6f", "#e4e4e4", "#a8a8a8")


class RunOverlay(Chart):
    """Redrawn only on a change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chart--{letter}" for letter in LETTERS}
    DEFAULT_CSS = "\n".join(
        f"RunOverlay > .chart--{letter} {{ color: {colour}; }}\n"
        f"RunOverlay:ansi > .chart--{letter} {{ color: ansi_{style}; }}"
        for letter, colour, style in zip(LETTERS, _COLOURS, _STYLES, strict=True)
    )

    def __init__(self) -> None:
        super().__init__(empty="Nothing measured yet. t shows the other curves.")
        self._axis = "steps"
        self._runs: Sequence[ComparedRun] = ()
        self._curve = "test"

    def overlay(self, runs: Sequence[ComparedRun], curve: str, axis: str) -> None:
        """Draw these runs' curves over this axis."""
        self._runs, self._curve, self._axis = runs, curve, axis
        self._title = f"{curve} perplexity"
        self._make()

    def watch_log_axis(self) -> None:
        self._make()

    def _make(self) -> None:
        marks = 2 * max(len(self._runs), 4)
        series = [
            Series(
                run.letter,
                tuple(dense(run.curve(self._curve, self._axis), 400, log=self.log_axis)),
                "marks",
                run.letter,
                every=2 * marks,
                offset=2 * place * marks // max(len(self._runs), 1),
            )
            for place, run in enumerate(self._runs)
        ]
        self.show(series)
        self._redraw()

    def _drawn(self) -> list[Line]:
        width, height = self.size
        if not any(series.points for series in self._series):
            return super()._drawn()
        title = f"{self._title}, {'log' if self.log_axis else 'linear'}"
        return draw(self._series, width, height, log=self.log_axis, unit=AXES[self._axis], title=title)
