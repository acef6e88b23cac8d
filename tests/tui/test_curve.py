import math
import random

import pytest

from workbench.display.curve import Scale, average, linear_ticks, pick, smooth, thin


def test_thinning_keeps_a_single_peak_among_a_million_points() -> None:
    points = [(float(i), 10.0) for i in range(1_000_000)]
    points[345_678] = (345_678.0, 999.0)
    columns = thin(points, 120, 0, 999_999)
    assert len(columns) == 120
    assert [column.x for column in columns] == list(range(120))
    peaks = [column for column in columns if column.high == 999.0]
    assert len(peaks) == 1
    assert peaks[0].low == 10.0
    assert peaks[0].x == round(345_678 / 999_999 * 119)


def test_every_column_holds_the_extremes_of_its_points() -> None:
    rng = random.Random(7)
    points = [(float(i), rng.uniform(1, 100)) for i in range(5000)]
    columns = thin(points, 37, 0, 4999)
    assert min(c.low for c in columns) == min(v for _, v in points)
    assert max(c.high for c in columns) == max(v for _, v in points)
    assert columns[0].first == points[0][1]
    assert columns[-1].last == points[-1][1]


def test_thinning_leaves_out_what_cannot_be_drawn() -> None:
    points = [(0.0, 1.0), (1.0, math.nan), (2.0, math.inf), (3.0, 4.0), (99.0, 5.0)]
    assert [(c.x, c.low) for c in thin(points, 4, 0, 3)] == [(0, 1.0), (3, 4.0)]
    assert thin(points, 0, 0, 3) == []


def test_log_scale_gives_each_decade_the_same_room() -> None:
    scale = Scale(1.0, 10_000.0, log=True)
    assert scale.position(1) == 0
    assert scale.position(100) == pytest.approx(0.5)
    assert scale.position(10_000) == 1
    assert scale.position(0) == 0  # clamped, not an error


@pytest.mark.parametrize(("low", "high"), [(30, 3500), (44.1, 44.9), (1e-3, 1e9), (8, 8.0001), (1, 1e300)])
@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("most", [2, 4, 9])
def test_ticks_are_inside_and_not_too_many(low: float, high: float, log: bool, most: int) -> None:
    ticks = Scale(low, high, log).ticks(most)
    assert 0 < len(ticks) <= most
    assert ticks == sorted(ticks)
    assert all(low - (high - low) * 1e-6 <= tick <= high + (high - low) * 1e-6 for tick in ticks)


def test_linear_ticks_are_round() -> None:
    assert linear_ticks(0, 296, 4) == [0, 100, 200]
    assert linear_ticks(3, 3, 4) == []


def test_a_scale_around_one_value_still_has_a_height() -> None:
    for log in (True, False):
        scale = Scale.around([45.0], log)
        assert scale.low < 45 < scale.high
        assert 0 < scale.position(45.0) < 1


def test_a_scale_around_nothing_or_nonsense_is_usable() -> None:
    for values in ([], [math.nan, math.inf], [-1.0, 0.0]):
        scale = Scale.around(values, log=True)
        assert 0 < scale.low < scale.high


def test_smoothing_starts_at_the_first_value_and_follows() -> None:
    flat = smooth([(i, 5.0) for i in range(10)], 0.9)
    assert all(value == pytest.approx(5.0) for _, value in flat)
    spiky = [(i, 1.0 + (i % 2)) for i in range(200)]
    late = [value for _, value in smooth(spiky, 0.9)[100:]]
    assert max(late) - min(late) < 0.2
    assert smooth([(1, 2.0)], 0) == [(1, 2.0)]


def test_picking_keeps_the_extremes_of_every_part_and_the_last() -> None:
    rng = random.Random(3)
    points = [(float(i), rng.uniform(1, 2)) for i in range(10_000)]
    points[777] = (777.0, 50.0)
    picked = pick(points, 200)
    assert len(picked) <= 201 and set(picked) <= set(points)
    assert [step for step, _ in picked] == sorted(step for step, _ in picked)
    assert (777.0, 50.0) in picked and picked[-1] == points[-1]
    assert min(v for _, v in picked) == min(v for _, v in points)
    assert pick(points[:50], 200) == points[:50]
    assert len(pick([(5.0, float(i)) for i in range(100)], 10)) <= 11, "all at one step"


def test_averages_of_equal_runs() -> None:
    assert average([(float(i), float(i % 2)) for i in range(1000)], 100)[3] == (39.0, 0.5)
    assert average([(1.0, 2.0)], 100) == [(1.0, 2.0)]
