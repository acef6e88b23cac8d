"""The main text of HTML, by lxml: blocks become paragraphs, what stands around the text is left out."""

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
    """The text of a page. Raises CorpusError: the extra is not installed, the content is binary."""
    yield text_of_page(decoded(intake, path), intake, path)


def text_of_page(page: str, intake: Intake, path: Path) -> str:
    """The main text of a page: paragraphs with a blank line between them."""
    html = needed("lxml.html", path)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except needed("lxml.etree", path).ParserError:  # nothing is in it
        return ""
    main = _outermost(root, "main") or _outermost(root, "article")
    body = root.find("body")
    roots = main or [root if body is None else body]
    found = [_laid_out("".join(_pieces(one, intake, path, inside=bool(main)))) for one in roots]
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
    decoder = intake.decoder(path)
    decoder.begin(content)
    return "".join(decoder(line) for line in content.splitlines(keepends=True))


def _outermost(root: Any, tag: str) -> list[Any]:
    """The elements of a kind, and those of that role, without those inside another."""
    found = [one for one in root.iter() if one.tag == tag or one.get("role") == tag]
    return [one for one in found if not any(above in found for above in one.iterancestors())]


def _pieces(root: Any, intake: Intake, path: Path, *, inside: bool) -> Iterator[str]:
    """The text below an element, with signs where blocks and lines end.

    inside: within <main> or <article>, whose own headers belong to the text.
    """
    waiting: list[tuple[Any, bool]] = [(root, False)]
    while waiting:
        element, is_done = waiting.pop()
        sign = _sign(element.tag)
        if is_done:
            yield sign
        elif element.tag in _UNSEEN or (element is not root and _is_around(element, inside)):
            if element.tag not in _UNSEEN and element.text_content().strip():
                what = "parts of pages beside the text (menus, headers, footers, forms), left out"
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
    """A text with its lines, where they are meant."""
    if text and "\n" in text and (element.tag == "pre" or any(True for _ in element.iterancestors("pre"))):
        return text.replace("\n", _LINE)
    return text or ""


def _laid_out(text: str) -> str:
    """Blanks and line ends of the source become one blank; the signs of blocks and lines become line ends."""
    paragraphs = []
    for block in text.split(_BLOCK):
        lines = (" ".join(line.split()) for line in block.split(_LINE))
        paragraph = "\n".join(line for line in lines if line)
        if paragraph:
            paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)
