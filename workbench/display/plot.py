"""Draws curves as lines of styled text: legend, labelled axes, plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len

from workbench.display import numbers
from workbench.display.braille import Canvas
from workbench.display.curve import Point, Scale, thin

Kind = Literal["line", "marks", "level"]
Line = list[tuple[str, str]]
"""One row of the chart: runs of (text, style name)."""

MARK = "●"
LEVEL = "╌"
_SAMPLES: dict[Kind, str] = {"line": "⠒⠒", "marks": "⠒●", "level": LEVEL * 2}
_MIN_WIDTH, _MIN_HEIGHT = 12, 2


@dataclass(frozen=True, slots=True)
class Series:
    """One curve. `kind` tells curves apart without colour: a line, a line with marks, a dashed level.

    `name` is also the style. Points are (step, value), sorted by step; a level has one point. Marks are
    `every` dots apart, the first at dot `offset` or later, so that overlapping curves can take turns.
    """

    name: str
    points: Sequence[Point] = field(default_factory=tuple)
    kind: Kind = "line"
    mark: str = MARK
    every: int = 8
    offset: int = 0

    @property
    def last(self) -> float | None:
        return self.points[-1][1] if self.points else None


def draw(
    series: Sequence[Series], width: int, height: int, *, log: bool, unit: str = "step", title: str = ""
) -> list[Line]:
    """`height` rows of at most `width` cells: a legend, the curves, the axis and its labels."""
    lines = [_legend(series, width, title)]
    values = [value for curve in series for _, value in curve.points]
    scale = Scale.around(values, log)
    plot_height = height - 3
    ticks = scale.ticks(max(plot_height // 2, 2))
    labels = [numbers.tick(tick) for tick in ticks]
    gutter = max([cell_len(label) for label in labels] + [5])
    plot_width = width - gutter - 2
    if plot_width < _MIN_WIDTH or plot_height < _MIN_HEIGHT:
        return lines[:height]
    steps = [step for curve in series if curve.kind != "level" for step, _ in curve.points]
    start, end = (min(steps), max(steps)) if steps else (0.0, 1.0)
    end = max(end, start + 1.0)

    canvas = Canvas(plot_width, plot_height)
    for curve in series:
        _draw_curve(canvas, curve, scale, start, end)
    at_row: dict[int, str] = {}
    for tick, label in zip(ticks, labels, strict=True):
        at_row.setdefault(plot_height - 1 - _y(tick, scale, canvas) // 4, label)
    for row, runs in enumerate(canvas.rows()):
        axis = f"{at_row[row]:>{gutter}} ┤" if row in at_row else " " * gutter + " │"
        lines.append([(axis, "axis"), *runs])
    lines += _x_axis(start, end, gutter, plot_width, unit)
    return lines


def _y(value: float, scale: Scale, canvas: Canvas) -> int:
    return round(scale.position(value) * (canvas.dots_high - 1))


def _draw_curve(canvas: Canvas, curve: Series, scale: Scale, start: float, end: float) -> None:
    usable = [(x, y) for x, y in curve.points if math.isfinite(y) and (y > 0 or not scale.log)]
    if curve.kind == "level":
        for _, value in usable[-1:]:
            for x in range(0, canvas.dots_wide, 2):
                canvas.glyph(x, _y(value, scale, canvas), LEVEL, curve.name, over=False)
        return
    before: tuple[int, int] | None = None
    next_mark = curve.offset
    columns = thin(usable, canvas.dots_wide, start, end)
    for column in columns:
        first, low, high = (_y(v, scale, canvas) for v in (column.first, column.low, column.high))
        if before:
            canvas.line(*before, column.x, first, curve.name)
        canvas.line(column.x, low, column.x, high, curve.name)
        before = column.x, _y(column.last, scale, canvas)
    if curve.kind == "marks":
        for column in columns:
            # Marks closer than this would hide their line.
            if column.x >= next_mark or column is columns[-1]:
                canvas.glyph(column.x, _y(column.last, scale, canvas), curve.mark, curve.name)
                next_mark = column.x + curve.every


def _legend(series: Sequence[Series], width: int, title: str) -> Line:
    line: Line = [(numbers.clip(f" {title}", width), "axis")]
    for curve in series:
        value = f" {numbers.perplexity(curve.last)}" if curve.points else ""
        if curve.kind == "marks" and curve.mark != MARK:  # the mark is the name already
            line += [("  ", ""), (f"⠒{curve.mark}", curve.name), (value, "legend")]
        else:
            line += [("  ", ""), (_SAMPLES[curve.kind], curve.name), (f" {curve.name}{value}", "legend")]
    while sum(cell_len(text) for text, _ in line) > width and len(line) > 1:
        line.pop()
    return line


def _x_axis(start: float, end: float, gutter: int, width: int, unit: str) -> list[Line]:
    """The axis with its ticks and labels; a label that would touch another is left out."""
    axis = ["─"] * width
    labels = [" "] * (width + 2)
    # The last label is the last step itself: progress is the first thing that users look for.
    final = f"{numbers.tick(end)} {unit}s"
    taken = len(labels) - len(final)
    labels[taken:] = list(final)
    scale = Scale(start, end)
    free_from = 0
    for tick in scale.ticks(max(2, width // 12)):
        x = round(scale.position(tick) * (width * 2 - 1)) // 2
        text = numbers.tick(tick)
        # The plot begins two cells after the gutter: a space and the axis itself.
        at = max(0, x + 2 - len(text) // 2)
        if at >= free_from and at + len(text) < taken:
            axis[x] = "┬"
            labels[at : at + len(text)] = list(text)
            free_from = at + len(text) + 1
    corner = " " * gutter + " └"
    return [[(corner + "".join(axis), "axis")], [(" " * gutter + "".join(labels), "axis")]]
