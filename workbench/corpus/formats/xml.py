"""Extracts the text of XML with the standard library's parser, which fetches nothing and limits entities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from workbench.corpus.intake import Intake
from workbench.errors import CorpusError


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The text of a file: each element with text of its own becomes a paragraph, including its descendants.
    Raises CorpusError with the line if it is not well-formed.
    """
    try:
        root = ElementTree.fromstring(intake.content(path))
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        line = f", line {error.position[0]}" if isinstance(error, ElementTree.ParseError) else ""
        raise CorpusError(
            f"{path}{line} is not well-formed XML.",
            "Fix that line, or rename the file to .html or .txt to read it as that.",
        ) from error
    yield "\n\n".join(_paragraphs(root))


def _paragraphs(root: ElementTree.Element) -> Iterator[str]:
    waiting = [root]
    while waiting:
        element = waiting.pop()
        own = [element.text, *(child.tail for child in element)]
        if any(text and text.strip() for text in own):
            yield " ".join("".join(element.itertext()).split())
        else:
            waiting.extend(reversed(element))
