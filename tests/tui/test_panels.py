"""Panels: lines aligned whatever is in them, and the peak in sight."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from workbench.tui.live.panels import Panel, drawing, sparkline


def test_a_peak_among_many_points_is_seen() -> None:
    points = [(float(i), 5.0) for i in range(100_000)]
    points[60_000] = (60_000.0, 50.0)
    line = sparkline(points, 20)
    assert len(line) == 20 and line.count("█") == 1 and line.count("▁") == 19


def test_a_scale_of_its_own_and_one_that_is_given() -> None:
    assert sparkline([(0, 1.0), (1, 2.0)], 2) == "▁█"
    assert sparkline([(0, 50.0), (1, 50.0)], 2, 0.0, 100.0) == "▅▅"
    assert sparkline([], 5) == sparkline([(0, 1.0)], 0) == ""
    assert sparkline([(3, 1.0)], 5) == "▁"


@pytest.mark.parametrize("width", [10, 37, 78, 118, 200])
def test_no_line_is_wider_than_it_may_be(width: int) -> None:
    panels = [Panel(f"name {i}" * 3, "123456789012", [(0, 1.0), (9, 2.0)]) for i in range(7)]
    lines = drawing(panels, "Phases: " + "training 3s · " * 30, width).plain.splitlines()
    widest = max(cell_len(line) for line in lines)
    assert widest <= max(width, 21)
    assert len(lines) == 1 + -(-7 // max(min((width + 2) // 38, 7), 1))
