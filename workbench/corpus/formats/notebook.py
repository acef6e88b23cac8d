"""Extracts the cells of Jupyter notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.corpus.formats.markdown import without_markup
from workbench.corpus.formats.needed import damaged
from workbench.corpus.intake import Intake


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The text of a notebook, with a blank line between cells. Raises CorpusError if it is not a notebook."""
    try:
        notebook = json.loads(intake.content(path))
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        sources = [_source(cell) for cell in cells]
        outputs = sum(len(cell.get("outputs", ())) for cell in cells)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise damaged(path, "a Jupyter notebook") from error
    if outputs:
        intake.notes.count("notebook outputs, left out", str(path), outputs, "info")
    yield "\n\n".join(text for text in sources if text.strip())


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    text = source if isinstance(source, str) else "".join(source)
    return without_markup(text) if cell["cell_type"] in ("markdown", "heading") else text
