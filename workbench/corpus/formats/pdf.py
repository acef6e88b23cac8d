"""Extracts the text layer of PDF files with pypdf."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

from workbench.corpus.formats.needed import damaged, needed
from workbench.corpus.intake import Intake
from workbench.errors import CorpusError


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The text of a file, with a blank line between pages. Raises CorpusError: protected, damaged, empty."""
    pypdf = needed("pypdf", path)
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings are not meant for users
    content = intake.content(path)
    try:
        file = pypdf.PdfReader(io.BytesIO(content))
        if file.is_encrypted and not file.decrypt(""):
            raise CorpusError(f"{path} is password-protected.", "Save it again without a password.")
        pages = [_page(page.extract_text() or "") for page in file.pages]
    except CorpusError:
        raise
    except Exception as error:  # pypdf raises many kinds of errors for damaged files
        raise damaged(path, "a PDF file") from error
    empty = [number for number, page in enumerate(pages, start=1) if not page.strip()]
    if len(empty) == len(pages):
        raise CorpusError(
            f"{path} holds no text: its {len(pages):,} pages are images, probably scans.",
            "Run text recognition (OCR) on it first, or leave the file out.",
        )
    if empty:
        what = "PDF pages without text (images), left out"
        intake.notes.count(what, f"{path}, page {empty[0]}", len(empty))
    yield "\n\n".join(page for page in pages if page.strip())


def _page(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
