"""Nothing from outside reaches a terminal as a command."""

from __future__ import annotations

import pytest

from workbench.text import REPLACEMENT, printable


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
