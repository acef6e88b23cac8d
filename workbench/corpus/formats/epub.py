"""Extracts the chapters of EPUB files in reading order, each read as HTML."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from workbench.corpus.formats.html import text_of_page
from workbench.corpus.formats.needed import damaged, needed
from workbench.corpus.intake import Intake
from workbench.errors import CorpusError

_PROTECTION = "META-INF/rights.xml", "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html")


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The text of a book, with a blank line between paragraphs. Raises CorpusError: protected, damaged."""
    needed("lxml.html", path)
    try:
        with zipfile.ZipFile(io.BytesIO(intake.content(path))) as book:
            chapters = list(_chapters(book))
            protected = any(name in book.namelist() for name in _PROTECTION)
            pages = (
                [] if protected and _is_encrypted(book, chapters) else [book.read(name) for name in chapters]
            )
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, RuntimeError, ValueError) as error:
        raise damaged(path, "an EPUB file") from error
    if chapters and not pages:
        raise CorpusError(f"{path} is copy-protected.", "Only books without protection can be read.")
    chapter_texts = (text_of_page(page.decode("utf-8", "replace"), intake, path) for page in pages)
    yield "\n\n".join(text for text in chapter_texts if text)


def _is_encrypted(book: zipfile.ZipFile, chapters: list[str]) -> bool:
    """Whether a chapter is encrypted, and not only a font."""
    if _PROTECTION[1] not in book.namelist():
        return True
    root = ElementTree.fromstring(book.read(_PROTECTION[1]))
    uris = {unquote(element.get("URI") or "") for element in root.iter() if element.get("URI")}
    return any(name in uris for name in chapters)


def _chapters(book: zipfile.ZipFile) -> Iterator[str]:
    """The names of the pages in the order of the spine."""
    container = ElementTree.fromstring(book.read("META-INF/container.xml"))
    rootfile = next(element for element in container.iter() if element.tag.endswith("}rootfile"))
    place = rootfile.get("full-path") or ""
    package = ElementTree.fromstring(book.read(place))
    items = {element.get("id"): element for element in package.iter() if element.tag.endswith("}item")}
    for reference in package.iter():
        if not reference.tag.endswith("}itemref"):
            continue
        item = items[reference.get("idref")]
        if item.get("media-type") in _PAGES:
            href = unquote(item.get("href") or "")
            yield posixpath.normpath(posixpath.join(posixpath.dirname(place), href))
