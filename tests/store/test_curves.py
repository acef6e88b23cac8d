"""Thinned curves: few points of many, no peak lost."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    opened = Store.open(location)
    opened.create_run(PRESETS["starter"])
    yield opened
    opened.close()


def add(store: Store, values: list[float], name: str = "train/loss", first: int = 1) -> None:
    store.add_metrics(1, 0, [MetricValue(name, first + i, 0.0, value) for i, value in enumerate(values)])


def test_few_points_are_all_there(store: Store) -> None:
    add(store, [3.0, 2.0, 5.0])
    add(store, [9.0], "eval/loss")
    assert store.curves.thinned(1, "train/loss", 3) == [(1, 3.0), (2, 2.0), (3, 5.0)]
    assert store.curves.thinned(1, "train/grad_norm", 3) == []


@pytest.mark.parametrize("seed", range(5))
def test_of_many_the_extremes_of_every_part_and_the_last_survive(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    values = [rng.uniform(1, 2) for _ in range(5000)]
    at = rng.randrange(5000)
    values[at] = 99.0
    add(store, values)
    thinned = store.curves.thinned(1, "train/loss", 200)
    assert len(thinned) <= 201
    assert thinned == sorted(thinned, key=lambda point: point[0])
    assert [abs(step - (at + 1)) <= 50 for step, value in thinned if value == 99.0] == [True]
    assert min(value for _, value in thinned) == min(values)
    assert thinned[-1] == (5000, values[-1])
    for begin in range(0, 5000, 50):
        part = values[begin : begin + 50]
        inside = [value for step, value in thinned if begin < step <= begin + 50]
        assert {min(part), max(part)} <= set(inside)


def test_a_cursor_parts_what_was_read_from_what_is_new(store: Store) -> None:
    assert store.curves.newest(1) == 0
    add(store, [3.0, 2.0])
    read_to = store.curves.newest(1)
    add(store, [1.0], first=3)
    assert store.curves.thinned(1, "train/loss", 100, upto=read_to) == [(1, 3.0), (2, 2.0)]
    assert [metric.step for metric in store.metrics(1, after=read_to)] == [3]


def test_steps_that_were_gone_through_again_do_not_count_twice(store: Store) -> None:
    add(store, [float(i) for i in range(1, 101)])
    store.supersede_after(1, 50)
    store.add_metrics(1, 1, [MetricValue("train/loss", 51, 0.0, 0.5)])
    thinned = store.curves.thinned(1, "train/loss", 1000)
    assert len(thinned) == 51 and thinned[-1] == (51, 0.5)


def test_sums_by_the_beginning_of_a_name(store: Store) -> None:
    add(store, [1.0, 2.5], "time/training")
    add(store, [4.0], "time/saving")
    add(store, [9.0], "times")
    store.supersede_after(1, 1)
    totals = store.curves.totals(1, "time/")
    assert {name: total for name, (total, _) in totals.items()} == {"time/training": 1.0, "time/saving": 4.0}
    assert totals["time/saving"][1] >= totals["time/training"][1] > 0


@pytest.mark.parametrize("stride", [1, 2, 3, 16])
def test_a_sketch_is_spread_over_the_run_whatever_lies_between(store: Store, stride: int) -> None:
    names = ["train/loss", *(f"system/{i}" for i in range(1, stride))]
    store.add_metrics(1, 0, [MetricValue(name, i, 0.0, float(i)) for i in range(4000) for name in names])
    sketch = store.curves.sketch(1, "train/loss", 400, of=4000)
    steps = [step for step, _ in sketch]
    assert steps == sorted(steps) and all(step == value for step, value in sketch)
    assert 200 <= len(sketch) <= 800
    assert all(any(low <= step < low + 400 for step in steps) for low in range(0, 4000, 400))
