"""A text shaded by the surprisal of each token, with the values below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rich.text import Text

from workbench.display import numbers
from workbench.text import printable

LEVELS = ((2.0, "not italic"), (5.0, "underline"), (10.0, "bold underline yellow"))
"""(bits, style): the style up to that many bits. They differ without colour too."""
HIGHEST = "bold reverse"
_MOST_UNEXPECTED = 3
_JOIN = "·"
"""Separates two tokens without a space between them."""


class _Cell(NamedTuple):
    word: str
    figure: str
    style: str
    joined: bool

    @property
    def width(self) -> int:
        return max(numbers.cell_len(self.word), len(self.figure))


def style_of(bits: float) -> str:
    """The style of a token of that many bits."""
    return next((style for limit, style in LEVELS if bits < limit), HIGHEST)


def surprisal_text(result: Mapping[str, Any], width: int) -> Text:
    """The result of `Surprisal.to_json` in lines of at most `width` cells, wrapped between tokens."""
    perplexity = result["pseudo_perplexity"]
    shown = numbers.perplexity(float("inf") if perplexity is None else perplexity)
    text = Text(f"pseudo-perplexity {shown}", "bold")
    text.append(f"\n{result['bits_per_token']:.1f} bits/token, {result['count']} tokens\n", "not bold")
    for row in _rows(list(_cells(result, width)), width):
        _append_row(text, row)
    text.append("\n").append_text(_legend(width))
    scored = [token for token in result["tokens"] if token["bits"] is not None]
    for token in sorted(scored, key=lambda one: -one["bits"])[:_MOST_UNEXPECTED]:
        text.append(f"\n{numbers.clip(_unexpected(token, str(result['text'])), width)}", "not bold")
    return text


def _cells(result: Mapping[str, Any], width: int) -> Iterator[_Cell]:
    whole, at = str(result["text"]), 0
    for token in result["tokens"]:
        start, end = max(int(token["start"]), at), int(token["end"])
        part = whole[start:end]
        joined = (
            at > 0 and not whole[at:start].strip(" \t\n") and at == start and part[:1] == part[:1].strip()
        )
        bits = token["bits"]
        word = numbers.clip(printable(part.strip()) or _JOIN, width)
        if bits is None:
            yield _Cell(word, "–", "dim", joined)
        else:
            yield _Cell(word, numbers.clip(f"{bits:.1f}", width), style_of(bits), joined)
        at = max(end, at)


def _rows(cells: list[_Cell], width: int) -> Iterator[list[_Cell]]:
    row: list[_Cell] = []
    used = 0
    for cell in cells:
        if row and used + 1 + cell.width > width:
            yield row
            row, used = [], 0
        used += cell.width + (1 if row else 0)
        row.append(cell)
    if row:
        yield row


def _append_row(text: Text, row: list[_Cell]) -> None:
    words, beneath = Text("\n"), "\n"
    for number, cell in enumerate(row):
        if number:
            words.append(_JOIN if cell.joined else " ", "dim not bold")
            beneath += " "
        words.append(cell.word, f"not bold {cell.style}" if "bold" not in cell.style else cell.style)
        words.append(" " * (cell.width - numbers.cell_len(cell.word)))
        beneath += cell.figure.ljust(cell.width)
    text.append_text(words).append(beneath.rstrip(" "), "not bold dim")


def _legend(width: int) -> Text:
    legend = Text("\nbits: ", "not bold dim", no_wrap=True)
    low = 0.0
    for limit, style in LEVELS:
        legend.append(f"{low:g}-{limit:g}", f"not dim {style}").append(" ")
        low = limit
    legend.append(f"{low:g}+", f"not dim {HIGHEST}")
    legend.append("\n")
    return legend if legend.cell_len <= width else Text("\n")


def _unexpected(token: Mapping[str, Any], whole: str) -> str:
    word = printable(whole[token["start"] : token["end"]].strip())
    said = f"{word} {token['bits']:.1f} bits"
    if token["rank"] == 1:
        return f"{said}, yet the most expected"
    expected = f"expected {printable(str(token['best']))}"
    return f"{said}; {expected} {numbers.share(float(token['best_probability'])).strip()}"
