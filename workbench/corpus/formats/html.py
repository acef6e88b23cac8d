"""Extracts the main text of HTML with lxml: blocks become paragraphs, navigation and the like is left out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.corpus.formats.needed import needed
from workbench.corpus.intake import Intake

_UNSEEN = frozenset(
    [
        "head",
        "script",
        "style",
        "template",
        "noscript",
        "svg",
        "math",
        "select",
        "textarea",
        "button",
        "iframe",
        "object",
    ]
)
_AROUND = frozenset(("nav", "header", "footer", "aside", "form"))
_AROUND_ROLES = frozenset(("navigation", "banner", "contentinfo", "complementary", "search"))
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "dl",
        "table",
        "blockquote",
        "pre",
        "figure",
        "figcaption",
        "hr",
        "address",
        "details",
        "summary",
        "fieldset",
        "nav",
        "header",
        "footer",
        "aside",
        "form",
    ]
)
_LINES = frozenset(("br", "li", "tr", "dt", "dd", "caption"))
_CELLS = frozenset(("td", "th"))
_BLOCK, _LINE, _CELL = "\u2029", "\u2028", "\t"
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN = 4096  # bytes


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The text of a page. Raises CorpusError: lxml is not installed, or the content is binary."""
    yield text_of_page(decoded(intake, path), intake, path)


def text_of_page(page: str, intake: Intake, path: Path) -> str:
    """The main text of a page: paragraphs with a blank line between them."""
    html = needed("lxml.html", path)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except needed("lxml.etree", path).ParserError:  # the page is empty
        return ""
    main = _outermost(root, "main") or _outermost(root, "article")
    body = root.find("body")
    roots = main or [root if body is None else body]
    parts = [_laid_out("".join(_pieces(element, intake, path, inside=bool(main)))) for element in roots]
    return "\n\n".join(filter(None, parts))


def decoded(intake: Intake, path: Path) -> str:
    """A page decoded with the encoding that it declares, or else like any other text."""
    content = intake.content(path)
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    declared = _CHARSET.search(content[:_DECLARED_WITHIN])
    if declared:
        try:
            return content.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            what = "pages with a wrong encoding declaration"
            intake.notes.count(what, f"{path} ({declared[1].decode('ascii')})")
    decoder = intake.decoder(path)
    decoder.begin(content)
    return "".join(decoder(line) for line in content.splitlines(keepends=True))


def _outermost(root: Any, tag: str) -> list[Any]:
    """The elements with this tag or role that are not inside another such element."""
    matches = [element for element in root.iter() if element.tag == tag or element.get("role") == tag]
    return [element for element in matches if not any(above in matches for above in element.iterancestors())]


def _pieces(root: Any, intake: Intake, path: Path, *, inside: bool) -> Iterator[str]:
    """The text below an element, with marks at the ends of blocks and lines.

    inside: whether it is in <main> or <article>, whose own headers belong to the text.
    """
    waiting: list[tuple[Any, bool]] = [(root, False)]
    while waiting:
        element, is_done = waiting.pop()
        sign = _sign(element.tag)
        if is_done:
            yield sign
        elif element.tag in _UNSEEN or (element is not root and _is_around(element, inside)):
            if element.tag not in _UNSEEN and element.text_content().strip():
                what = "page parts outside the text (menus, headers, footers, forms), left out"
                intake.notes.count(what, str(path), level="info")
        else:
            if element.tag not in _CELLS:
                yield sign
            yield _kept(element.text, element)
            waiting.append((element, True))
            waiting += [(child, False) for child in reversed(element)]
            continue
        if element is not root:
            yield _kept(element.tail, element.getparent())


def _sign(tag: str) -> str:
    if tag in _BLOCKS:
        return _BLOCK
    return _LINE if tag in _LINES else _CELL if tag in _CELLS else ""


def _is_around(element: Any, inside: bool) -> bool:
    if element.get("role") in _AROUND_ROLES:
        return True
    return element.tag in _AROUND and not (inside and element.tag in ("header", "footer"))


def _kept(text: str | None, element: Any) -> str:
    """The text; inside <pre> its line breaks are kept."""
    if text and "\n" in text and (element.tag == "pre" or any(True for _ in element.iterancestors("pre"))):
        return text.replace("\n", _LINE)
    return text or ""


def _laid_out(text: str) -> str:
    """Collapse the source's whitespace to single spaces, and turn block and line marks into line ends."""
    paragraphs = []
    for block in text.split(_BLOCK):
        lines = (" ".join(line.split()) for line in block.split(_LINE))
        paragraph = "\n".join(line for line in lines if line)
        if paragraph:
            paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)
