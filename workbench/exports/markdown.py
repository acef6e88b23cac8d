"""Escapes any text for Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.text import printable

_SIGNS = re.compile(r"([\\`*_{}\[\]!|~$:@])")
_AT_BEGINNING = re.compile(r"^(?:#+|[-+=]+|\d+[.)])(?=\s|$)")
"""The characters that make a line a heading, an item or a rule."""
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def one_line(text: str) -> str:
    """`text` without line breaks and control characters."""
    return " ".join(printable(text, keep_newlines=True).split())


def escape(text: str) -> str:
    """`text` on one line, with Markdown and HTML escaped."""
    escaped = _SIGNS.sub(r"\\\1", one_line(text).translate(_ENTITIES))
    return _AT_BEGINNING.sub(lambda mark: f"{mark.group()[:-1]}\\{mark.group()[-1]}", escaped)


def code(text: str) -> str:
    """`text` on one line as inline code, in a fence that it does not contain."""
    line = one_line(text)
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if "`" in line else ""
    return f"{fence}{blank}{line}{blank}{fence}"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown cells; bars inside code are escaped."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
