"""The first documents of local files, without reading the rest."""

from __future__ import annotations

from workbench.corpus.files import LocalFiles
from workbench.corpus.notes import Notes
from workbench.events import Listener

_CHARACTERS_PER_TOKEN = 8
"""More than in any usual text, so that a few chunks come of it."""
_CHUNKS = 16
_LEAST = 50_000


def first_texts(files: LocalFiles, chunk_size: int, listen: Listener) -> list[str]:
    """Documents for some chunks of `chunk_size` tokens. `listen` is told which column is read. Raises
    CorpusError.
    """
    wanted = max(_LEAST, chunk_size * _CHARACTERS_PER_TOKEN * _CHUNKS)
    texts, characters = [], 0
    for text in files.beginning(Notes(listen)):
        texts.append((text or "")[:wanted])
        characters += len(texts[-1])
        if characters >= wanted:
            break
    return texts
