"""A run's progress bar and remaining time, redrawn only on a change."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from rich.text import Text
from textual.widget import Widget

from workbench.display import numbers
from workbench.display.bars import bar
from workbench.text import amount

_RIGHT = 36
_WINDOW = 60.0
"""Seconds of progress that an estimate is based on."""


class TimeLeft:
    """Estimates the time left from recent progress."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._what: object = None
        self._seen: deque[tuple[float, float]] = deque()

    def look(self, what: object, done: float, total: float) -> float | None:
        """Seconds left, or None while unknown. `what`: what is counted; a new one starts afresh."""
        now = self._clock()
        if what != self._what or (self._seen and done < self._seen[-1][1]):
            self._what = what
            self._seen.clear()
        if not self._seen or done > self._seen[-1][1]:
            self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()
        began, first = self._seen[0]
        if total <= 0 or done <= first or now <= began:
            return None
        return max(total - done, 0) * (now - began) / (done - first)


class ProgressLine(Widget):
    """`label  ███████▌      52 %  210/400 steps  ETA 12s` in one line."""

    DEFAULT_CSS = """
    ProgressLine { height: 1; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[str, float, float, str, str] | None = None

    def show(
        self, label: str, done: float, total: float, unit: str, eta: float | None, note: str = ""
    ) -> None:
        """Show the progress. `total` 0: unknown, so only `done` is shown. `note` replaces the ETA."""
        tail = note or ("" if eta is None else f"ETA {numbers.duration(eta)}")
        wanted = (label, done, total, unit, tail)
        if wanted != self._shown:
            self._shown = wanted
            self.refresh()

    def render(self) -> Text:
        return self._line(*self._shown, self.size.width) if self._shown else Text("")

    @staticmethod
    def _line(label: str, done: float, total: float, unit: str, tail: str, width: int) -> Text:
        part = min(done / total, 1.0) if total > 0 else 0.0
        counted = amount(done, total, unit)
        right = f" {part:4.0%}  {counted}" if total > 0 else f"  {counted}" if done else ""
        right += f"  {tail}" if tail else ""
        # Bars of equal length, whatever is beside them, so that two lines can be compared.
        right = numbers.fit(right, max(_RIGHT, numbers.cell_len(right)))
        room = max(width - 15 - numbers.cell_len(right), 0)
        # The rest is dotted, so that it can be seen without colour.
        filled = bar(part, room).rstrip() if total > 0 and part > 0 else ""
        text = Text(numbers.fit(label, 14) + " ", no_wrap=True, end="")
        text.append(filled, "bold").append("·" * (room - len(filled)), "dim")
        return text.append(right)
