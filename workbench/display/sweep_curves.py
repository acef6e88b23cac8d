"""Small multiples: the test curves of each recipe of a sweep, each in a frame of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from workbench.analysis.effects import label_of
from workbench.display import numbers
from workbench.display.braille import Canvas
from workbench.display.curve import Point, Scale, thin
from workbench.display.sweep import SIGNS
from workbench.metrics import MetricName, perplexity
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.analysis.sweep_table import SweepTable
    from workbench.store import Store

WIDTH, HEIGHT = 26, 3
"""Size of a frame in cells, without its title."""
MOST = 60
Curves = Mapping[int, Sequence[Point]]
"""Run id -> (step, perplexity on the run's own test)."""


def read_curves(store: Store, table: SweepTable) -> dict[int, list[Point]]:
    """The test curves of all runs of a sweep."""
    runs = [run_id for entry in table.entries for run_id in entry.runs]
    return {run_id: store.curves.thinned(run_id, MetricName.EVAL_PERPLEXITY, 4 * WIDTH) for run_id in runs}


def curve_lines(table: SweepTable, curves: Curves, width: int) -> Iterator[Text]:
    """The frames, as many side by side as fit, best recipe first; one line per seed.

    Each frame has its own logarithmic scale: each run is tested at its own chunk size and mask probability,
    so only shapes can be compared between frames, not heights.
    """
    yield Text("Test curves, each on its own test and scale: compare shapes, not heights", "bold")
    if table.fields:
        yield Text(f"in each title: {printable(', '.join(table.fields))}", no_wrap=True)
    frames = []
    for entry in table.ranked()[:MOST]:
        lines = [curves.get(run_id, ()) for run_id in entry.runs]
        if any(len(points) > 1 for points in lines):
            title = ", ".join(map(label_of, entry.values.values())) or "the recipe"
            frames.append((f"{SIGNS[entry.mark]} {title}", lines))
    if not frames:
        yield Text("Nothing measured yet.")
        return
    abreast = max((width + 2) // (WIDTH + 2), 1)
    for start in range(0, len(frames), abreast):
        row = frames[start : start + abreast]
        drawn = [_frame(lines) for _, lines in row]
        yield Text("  ".join(numbers.fit(printable(title), WIDTH) for title, _ in row), no_wrap=True)
        for line in range(HEIGHT):
            yield Text("  ".join(one[line] for one in drawn), no_wrap=True)
        yield Text("  ".join(numbers.fit(_ends(lines), WIDTH) for _, lines in row), "dim", no_wrap=True)


def _frame(lines: Sequence[Sequence[Point]]) -> list[str]:
    canvas = Canvas(WIDTH, HEIGHT)
    # the baseline, far above the rest, would flatten it
    shown = [_without_baseline(points) for points in lines]
    scale = Scale.around([value for points in shown for _, value in points], log=True)
    steps = [step for points in shown for step, _ in points] or [0.0]
    start, end = min(steps), max(*steps, min(steps) + 1.0)
    for points in shown:
        before: tuple[int, int] | None = None
        for column in thin(points, canvas.dots_wide, start, end):
            here = column.x, round(scale.position(column.last) * (canvas.dots_high - 1))
            canvas.line(*(before or here), *here, "curve")
            before = here
    return ["".join(text for text, _ in runs) for runs in canvas.rows()]


def _without_baseline(points: Sequence[Point]) -> Sequence[Point]:
    later = [point for point in points if point[0] > 0 and math.isfinite(point[1])]
    return later if len(later) > 1 else points


def _ends(lines: Sequence[Sequence[Point]]) -> str:
    known = [_without_baseline(points) for points in lines if points]
    first, last = known[0][0][1], [points[-1][1] for points in known]
    mean = perplexity(sum(map(math.log, last)) / len(last))
    return f"{numbers.perplexity(first)} → {numbers.perplexity(mean)}"
