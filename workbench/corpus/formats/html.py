"""The main text of HTML, by selectolax: blocks become paragraphs, what stands around the text is left out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.corpus.encodings import Decoder
from workbench.corpus.formats.needed import needed
from workbench.corpus.intake import Intake

_UNSEEN = (
    "script, style, template, noscript, svg, math annotation, head, select, textarea, button, iframe, object"
)
_AROUND = "nav, header, footer, aside, form, [role=navigation], [role=banner], [role=contentinfo]"
_BLOCKS = (
    "p, div, section, article, main, h1, h2, h3, h4, h5, h6, ul, ol, dl, table, blockquote, pre, figure, "
    "figcaption, hr, address, details, summary, fieldset, nav, header, footer, aside, form"
)
_LINES = "br, li, tr, dt, dd, caption"
_BLOCK, _LINE, _CELL = "\u2029", "\u2028", "\t"
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN = 4096  # bytes


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The text of a page. Raises CorpusError: the extra is not installed, the content is binary."""
    yield text_of_page(decoded(intake, path), intake, path)


def text_of_page(page: str, intake: Intake, path: Path) -> str:
    """The main text of a page: paragraphs with a blank line between them."""
    parser = needed("selectolax.lexbor", path).LexborHTMLParser(page)
    for node in parser.css(_UNSEEN):
        if node.tag != "html":
            node.decompose()
    main = parser.css("main, [role=main]") or parser.css("article")
    if len(main) > 1:  # several, or one in another
        main = [node for node in main if not _within(node, main)]
    roots = main or [parser.body or parser.root]
    found = [_text(root, intake, path, inside=bool(main)) for root in roots if root is not None]
    return "\n\n".join(filter(None, found))


def decoded(intake: Intake, path: Path) -> str:
    """A page as text: in the encoding that it declares, or else in the one that is found for any text."""
    content = intake.content(path)
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    declared = _CHARSET.search(content[:_DECLARED_WITHIN])
    if declared:
        try:
            return content.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            what = "pages that are not in the encoding that they declare"
            intake.notes.count(what, f"{path} ({declared[1].decode('ascii')})")
    decoder = Decoder(path, intake.notes)
    return "".join(decoder(line) for line in content.splitlines(keepends=True))


def _within(node: Any, others: list[Any]) -> bool:
    parent = node.parent
    while parent is not None:
        if any(parent == other for other in others):
            return True
        parent = parent.parent
    return False


def _text(root: Any, intake: Intake, path: Path, *, inside: bool) -> str:
    """inside: within <main> or <article>, whose own headers belong to the text."""
    around = _AROUND.replace("header, footer, ", "") if inside else _AROUND
    for node in root.css(around):
        if node.text(deep=True).strip() and node != root:
            what = "parts of pages beside the text (menus, headers, footers, forms), left out"
            intake.notes.count(what, str(path), level="info")
        if node != root:
            node.decompose()
    for node in root.css("pre"):
        _keep_lines(node)
    for selector, sign in ((_BLOCKS, _BLOCK), (_LINES, _LINE)):
        for node in root.css(selector):
            if node != root:
                node.insert_before(sign)
                node.insert_after(sign)
    for node in root.css("td, th"):
        node.insert_after(_CELL)
    return _laid_out(root.text(deep=True))


def _keep_lines(node: Any) -> None:
    for part in node.traverse(include_text=True):
        if part.tag == "-text" and "\n" in (part.text_content or ""):
            part.replace_with(part.text_content.replace("\n", _LINE))


def _laid_out(text: str) -> str:
    """Blanks and line ends of the source become one blank; the signs of blocks and lines become line ends."""
    paragraphs = []
    for block in text.split(_BLOCK):
        lines = (" ".join(line.split()) for line in block.split(_LINE))
        paragraph = "\n".join(line for line in lines if line)
        if paragraph:
            paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)
