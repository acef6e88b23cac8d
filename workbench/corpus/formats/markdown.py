"""Strips the markup of Markdown with markdown-it-py; the lines of the text stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from workbench.corpus.intake import Intake

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.DOTALL)


def lines(intake: Intake, path: Path) -> Iterator[str]:
    """The lines of a Markdown file, without line ends and markup. The file is held in memory."""
    source = intake.whole(path)
    text = without_markup(source)
    if text != source.rstrip("\n"):
        intake.notes.count("Markdown files, markup removed", str(path), level="info")
    return iter(text.split("\n"))


def without_markup(source: str) -> str:
    """The text of Markdown: its blocks in order, with the source's line distances; list numbers stay. Text
    without markup is returned unchanged.
    """
    body = _FRONT_MATTER.sub(lambda matter: "\n" * matter[0].count("\n"), source)
    blocks: list[str] = []
    line = 0  # the source line up to which the text is written
    number = ""
    for token in _parser().parse(body):
        if token.type == "list_item_open" and token.info:
            number = f"{token.info}{token.markup} "
        text = _block(token)
        if text is None or token.map is None:
            continue
        text, number = number + text, ""
        begin = token.map[0]
        if blocks or begin > line:
            blocks.append("\n" * max(1 if blocks else 0, begin - line))
        blocks.append(text)
        line = begin + text.count("\n") if token.type != "inline" else max(token.map[1] - 1, begin)
    return "".join(blocks).strip("\n")


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _block(token: Token) -> str | None:
    """The text of a block; None for a token without own text."""
    if token.type == "inline":
        return _inline(token.children or ())
    if token.type in ("fence", "code_block"):
        return token.content.rstrip("\n")
    if token.type == "html_block":
        return _TAG.sub("", token.content).strip("\n") or None
    return None


def _inline(children: Sequence[Token]) -> str:
    pieces = []
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            pieces.append("\n")
        elif child.type == "image":
            pieces.append(_inline(child.children or ()))
        elif child.type != "html_inline":
            pieces.append(child.content)
    return "".join(pieces)
