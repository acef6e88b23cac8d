import pytest
from rich.cells import cell_len

from workbench.display import numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "—"),
        (float("nan"), "—"),
        (float("inf"), "∞"),
        (3512.4, "3,512"),
        (99.96, "100"),
        (45.23, "45.2"),
        (9.996, "10.0"),
        (8.314, "8.31"),
        (1_234_567, "1.2e6"),
    ],
)
def test_perplexity_is_short(value: float | None, shown: str) -> None:
    assert numbers.perplexity(value) == shown
    assert cell_len(shown) <= 7


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "—"),
        (0.4, "0s"),
        (42, "42s"),
        (192, "3m 12s"),
        (59.7, "1m 00s"),
        (7500, "2h 05m"),
        (273600, "3d 04h"),
    ],
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert numbers.duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(950, "950"), (999.6, "1.0k"), (20_100, "20.1k"), (999_600, "1.0M"), (1.24e6, "1.2M")],
)
def test_compact(value: float, shown: str) -> None:
    assert numbers.compact(value) == shown


def test_clip_counts_cells_not_characters() -> None:
    assert numbers.clip("日本語の文章", 7) == "日本語…"
    assert cell_len(numbers.clip("日本語の文章", 6)) <= 6
    assert numbers.clip("short", 5) == "short"
    assert numbers.clip("any", 0) == ""


@pytest.mark.parametrize("text", ["a", "日本語", "e\u0301te\u0301", "שלום", "x" * 50, ""])
@pytest.mark.parametrize("align", ["left", "right"])
def test_fit_is_exactly_as_wide_as_asked(text: str, align: str) -> None:
    assert cell_len(numbers.fit(text, 9, align)) == 9


def test_share_is_never_wider_than_its_column() -> None:
    assert {len(numbers.share(p)) for p in (0, 0.001, 0.099, 0.5, 0.9994, 0.9996, 1)} == {6}
