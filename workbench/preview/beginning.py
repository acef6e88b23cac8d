"""Reads the first documents of local files, without the rest."""

from __future__ import annotations

from workbench.corpus.files import LocalFiles
from workbench.corpus.notes import Notes
from workbench.events import Listener

_CHARACTERS_PER_TOKEN = 8
"""More than in usual text, so that the characters read suffice for a few chunks."""
_CHUNKS = 16
_LEAST = 50_000


def first_texts(files: LocalFiles, chunk_size: int, listen: Listener) -> list[str]:
    """Documents for a few chunks of `chunk_size` tokens. `listen` receives notes, such as the column that is
    read. Raises CorpusError.
    """
    wanted = max(_LEAST, chunk_size * _CHARACTERS_PER_TOKEN * _CHUNKS)
    texts, characters = [], 0
    for text in files.beginning(Notes(listen)):
        texts.append((text or "")[:wanted])
        characters += len(texts[-1])
        if characters >= wanted:
            break
    return texts
