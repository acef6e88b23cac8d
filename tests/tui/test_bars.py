import pytest
from rich.cells import cell_len

from workbench.display.bars import bar, bar_rows


def test_a_bar_is_as_wide_as_asked_and_as_full_as_the_share() -> None:
    assert bar(1.0, 4) == "████"
    assert bar(0.5, 4) == "██  "
    assert bar(0.0, 4) == "    "
    assert bar(1 / 32, 4) == "▏   "
    assert bar(1e-9, 4) == "▏   ", "what is not nothing shows"
    assert bar(7.0, 3) == "███"


@pytest.mark.parametrize("width", [20, 38, 78, 200])
def test_rows_are_aligned_with_wide_and_long_words(width: int) -> None:
    rows = bar_rows([("integer", 0.612), ("日本語", 0.2), ("x" * 60, 0.1), ("", 0.01)], width)
    assert {row.cell_len for row in rows} == {width}
    assert rows[0].plain.endswith("61.2 %")


def test_markup_and_escapes_in_a_word_are_text() -> None:
    row = bar_rows([("[red]\x1b[2J", 0.5)], 40)[0]
    assert "[red]" in row.plain
    assert "\x1b" not in row.plain
    assert cell_len(row.plain) == 40
