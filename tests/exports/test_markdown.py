"""Hostile text in Markdown."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from workbench.exports.markdown import code, escape, table

HOSTILE = [
    "plain",
    "a | b",
    "*bold* _it_ ~~gone~~",
    "<script>alert(1)</script> & <b>",
    "[link](http://x) ![img](y)",
    "# head",
    "## head",
    "---",
    "===",
    "1. one",
    "- item",
    "+ item",
    "`tick` ``two``",
    "\\",
    "3.5",
    "-2",
    "two\n\nlines",
    "https://example.org/x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_comes_out_as_itself(text: str) -> None:
    line = " ".join(text.split())
    tokens = MarkdownIt("gfm-like").parse(escape(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {child.type for child in tokens[1].children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in tokens[1].children or []) == line


@pytest.mark.parametrize("text", HOSTILE)
def test_code_comes_out_as_itself(text: str) -> None:
    (inline,) = [token for token in MarkdownIt("gfm-like").parse(code(text)) if token.type == "inline"]
    (child,) = inline.children or []
    assert (child.type, child.content) == ("code_inline", " ".join(text.split()))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_stays_in_its_column(text: str) -> None:
    tokens = MarkdownIt("gfm-like").parse(table(["a", "b"], [[escape(text), "end"]]))
    assert [token.type for token in tokens].count("td_open") == 2
