"""A curve in a few letters, and tags as they are typed."""

from __future__ import annotations

import math
import random

import pytest

from workbench.display.run import LEVELS, spark
from workbench.errors import UsageError
from workbench.tui.runs.edits import tag_change


def test_few_values_are_a_letter_each_on_a_log_scale() -> None:
    assert spark([1000, 100, 10], 8) == "█▅▁"
    assert spark([5, 5], 8) == "▁▁" and spark([], 8) == ""


@pytest.mark.parametrize("seed", range(20))
def test_a_peak_and_a_trough_among_many_survive(seed: int) -> None:
    rng = random.Random(seed)
    values = [rng.uniform(50, 52) for _ in range(200)]
    high, low = rng.sample(range(200), 2)
    values[high], values[low] = 5000.0, 2.0
    drawn = spark(values, 8)
    assert len(drawn) <= 8 and LEVELS[-1] in drawn and LEVELS[0] in drawn


def test_what_is_not_finite_is_as_high_as_can_be() -> None:
    assert spark([100, 10, math.inf], 8) == "█▁█"
    assert spark([math.inf, math.nan], 8) == "██"


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("new", ["new"]),
        ("a, b c", ["a", "b", "c"]),
        ("+new", ["old", "law", "new"]),
        ("-old +law", ["law", "law"]),
        ("", []),
    ],
)
def test_words_replace_tags_and_signs_change_them(typed: str, tags: list[str]) -> None:
    assert tag_change(typed)(["old", "law"]) == tags


def test_signs_and_bare_words_together_are_refused() -> None:
    with pytest.raises(UsageError):
        tag_change("+a b")
