import pytest
from rich.cells import cell_len

from workbench.display.braille import Canvas
from workbench.display.plot import LEVEL, MARK, Series, draw


def text_of(series: list[Series], width: int = 60, height: int = 14, *, log: bool = True) -> list[str]:
    return [
        "".join(text for text, _ in line) for line in draw(series, width, height, log=log, title="perplexity")
    ]


def run() -> list[Series]:
    return [
        Series("train", tuple((float(i), 3500 / (1 + i)) for i in range(1, 101))),
        Series("test", ((0.0, 3512.0), (50.0, 75.0), (100.0, 45.0)), "marks"),
        Series("baseline", ((0.0, 3512.0),), "level"),
    ]


def test_dots_stand_where_unicode_has_them() -> None:
    canvas = Canvas(1, 1)
    for (x, y), glyph in {(0, 3): "⠁", (1, 3): "⠈", (0, 0): "⡀", (1, 0): "⢀"}.items():
        one = Canvas(1, 1)
        one.dot(x, y, "a")
        assert one.rows() == [[(glyph, "a")]]
        canvas.dot(x, y, "a")
    assert canvas.rows() == [[("⣉", "a")]]


def test_dots_outside_the_canvas_are_left_out() -> None:
    canvas = Canvas(2, 2)
    canvas.line(-5, -5, 50, 50, "a")
    canvas.glyph(99, 99, "x", "a")
    assert len(canvas.rows()) == 2


@pytest.mark.parametrize("size", [(80, 24), (60, 14), (40, 8), (20, 5), (10, 3), (5, 1), (1, 1), (200, 60)])
@pytest.mark.parametrize("log", [True, False])
def test_it_fits_into_any_size(size: tuple[int, int], log: bool) -> None:
    lines = text_of(run(), *size, log=log)
    assert len(lines) <= size[1]
    assert all(cell_len(line) <= size[0] for line in lines)


def test_legend_names_each_curve_with_its_own_mark_and_value() -> None:
    legend = text_of(run())[0]
    assert "⠒⠒ train 34.7" in legend
    assert "⠒● test 45.0" in legend
    assert "╌╌ baseline 3,512" in legend


def test_axes_are_labelled_and_the_last_step_is_named() -> None:
    lines = text_of(run())
    assert any(line.startswith("1,000 ┤") for line in lines)
    assert any(line.startswith("  100 ┤") for line in lines)
    assert lines[-1].rstrip().endswith("100 steps")
    assert lines[-2].lstrip().startswith("└┬")


def test_curves_are_told_apart_without_colour() -> None:
    body = "\n".join(text_of(run())[1:])
    assert body.count(MARK) == 3
    assert LEVEL in body
    assert any("⠀" < glyph <= "⣿" for glyph in body)


def test_the_log_axis_lifts_what_the_linear_one_presses_to_the_floor() -> None:
    def row_of_second_mark(log: bool) -> int:
        body = text_of(run(), 60, 24, log=log)[1:]  # without the legend, which shows the mark too
        return [i for i, line in enumerate(body) if MARK in line][1]

    assert row_of_second_mark(log=True) < row_of_second_mark(log=False)


def test_one_point_or_none_is_drawn_too() -> None:
    assert MARK in "".join(text_of([Series("test", ((0.0, 3512.0),), "marks")]))
    assert text_of([Series("test")])


def test_values_that_are_not_finite_do_not_break_it() -> None:
    odd = Series("train", ((1.0, float("inf")), (2.0, float("nan")), (3.0, 50.0), (4.0, 0.0), (5.0, 60.0)))
    assert text_of([odd])
