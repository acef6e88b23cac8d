"""Nothing from outside reaches a terminal as a command."""

from __future__ import annotations

import pytest

from workbench.text import REPLACEMENT, amount, printable


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[31mred",
        "\x1b]0;title\x07",
        "\x9b31m",
        "a\rb",
        "a\x00b",
        "\u202eevil",
        "\u2066x",
        "\x7f",
        "\ud800",
    ],
)
def test_controls_escapes_and_overrides_are_replaced(hostile: str) -> None:
    shown = printable(hostile)
    assert REPLACEMENT in shown
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in shown)
    shown.encode("utf-8")


def test_markup_and_all_scripts_are_only_text() -> None:
    text = "[MASK] [red]x[/] 日本語 עברית e\u0301 🎉 naïve"
    assert printable(text) == text


def test_lines_are_kept_on_request() -> None:
    assert printable("a\nb\tc\x1b", keep_newlines=True) == f"a\nb\tc{REPLACEMENT}"
    assert printable("a\nb") == f"a{REPLACEMENT}b"


@pytest.mark.parametrize(
    ("how_far", "shown"),
    [
        ((0, 0, ""), ""),
        ((210, 444, "steps"), "210/444 steps"),
        ((1024, 0, "documents"), "1,024 documents"),
        ((45_100_000, 436_000_000, "bytes"), "45.1/436.0 MB"),
        ((999, 0, "bytes"), "999 bytes"),
        ((1_000, 2_500_000_000, "bytes"), "0.0/2.5 GB"),
        ((3, 9, ""), "3/9"),
    ],
)
def test_how_far_something_is(how_far: tuple[int, int, str], shown: str) -> None:
    assert amount(*how_far) == shown
