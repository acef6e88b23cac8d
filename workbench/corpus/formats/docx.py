"""Extracts the text of DOCX files with python-docx."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.corpus.formats.needed import damaged, needed
from workbench.corpus.intake import Intake
from workbench.errors import CorpusError

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COPY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""The fallback of a text box for older programs, which repeats its text."""
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_PROTECTED = b"\xd0\xcf\x11\xe0"
_NOTES = ("footnotes", "endnotes")
_UNREAD = ("header", "footer", "comments")


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The paragraphs of a file in order, with a blank line between them. Raises CorpusError."""
    docx = needed("docx", path)
    content = intake.content(path)
    if content.startswith(_PROTECTED):
        raise CorpusError(
            f"{path} is password-protected or in the older .doc format.", "Save it again as .docx."
        )
    try:
        document = docx.Document(io.BytesIO(content))
        root = document.element
        related = [
            relation.target_part for relation in document.part.rels.values() if not relation.is_external
        ]
        notes = [docx.oxml.parse_xml(part.blob) for part in related if _is_one_of(part, _NOTES)]
        unread = [part for part in related if _is_one_of(part, _UNREAD)]
        paragraphs = [text for part in (root, *notes) for text in _paragraphs(part)]
        around = sum(any(_paragraphs(docx.oxml.parse_xml(part.blob))) for part in unread)
    except Exception as error:  # the library raises many kinds of errors for invalid files
        raise damaged(path, "a DOCX file") from error
    deleted = sum(1 for _ in root.iter(f"{_W}delText"))
    if around:
        what = "headers, footers and comments of DOCX files, left out"
        intake.notes.count(what, str(path), around, "info")
    if deleted:
        intake.notes.count("tracked deletions in DOCX files, left out", str(path), deleted, "info")
    yield "\n\n".join(paragraphs)


def _is_one_of(part: Any, names: tuple[str, ...]) -> bool:
    return any(str(part.partname).startswith(f"/word/{name}") for name in names)


def _paragraphs(root: Any) -> Iterator[str]:
    for paragraph in root.iter(f"{_W}p"):
        if any(above.tag == _COPY for above in paragraph.iterancestors()):
            continue
        text = "".join(_pieces(paragraph)).strip("\n")
        if text.strip():
            yield text


def _pieces(paragraph: Any) -> Iterator[str]:
    """The text of a paragraph, without the paragraphs in its text boxes."""
    for element in paragraph.iter(f"{_W}t", *_SIGNS):
        if next(element.iterancestors(f"{_W}p")) is not paragraph:
            continue
        if element.tag == f"{_W}t":
            yield element.text or ""
        elif next(element.iterancestors(f"{_W}tabs"), None) is None:  # inside w:tabs it is a tab stop
            yield _SIGNS[element.tag]
