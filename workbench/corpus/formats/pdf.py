"""The text layer of PDF files, by pypdf."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

from workbench.corpus.formats.needed import damaged, needed
from workbench.corpus.intake import Intake
from workbench.errors import CorpusError


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The text of a file, a blank line between pages. Raises CorpusError: protected, damaged, no text."""
    pypdf = needed("pypdf", path)
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its remarks are no messages for a person
    content = intake.content(path)
    try:
        file = pypdf.PdfReader(io.BytesIO(content))
        if file.is_encrypted and not file.decrypt(""):
            raise CorpusError(f"{path} is protected by a password.", "Save it again without one.")
        pages = [_page(page.extract_text() or "") for page in file.pages]
    except CorpusError:
        raise
    except Exception as error:  # pypdf fails on damaged files in many ways
        raise damaged(path, "a PDF file") from error
    empty = [number for number, page in enumerate(pages, start=1) if not page.strip()]
    if len(empty) == len(pages):
        raise CorpusError(
            f"{path} holds no text: its {len(pages):,} pages are pictures, as scans are.",
            "Recognize its text first (OCR), or leave the file out.",
        )
    if empty:
        what = "pages of PDF files without text (pictures), left out"
        intake.notes.count(what, f"{path}, page {empty[0]}", len(empty))
    yield "\n\n".join(page for page in pages if page.strip())


def _page(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
