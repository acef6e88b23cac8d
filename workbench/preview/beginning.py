"""The first documents of local files, without reading the rest."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from workbench.corpus import readers
from workbench.corpus.columns import choose_column
from workbench.corpus.files import TEXT, LocalFiles
from workbench.corpus.notes import Notes
from workbench.training.events import Listener

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
    for text in _texts(files, Notes(listen)):
        texts.append((text or "")[:wanted])
        characters += len(texts[-1])
        if characters >= wanted:
            break
    return texts


def _texts(files: LocalFiles, notes: Notes) -> Iterable[str | None]:
    if files.kind == TEXT:
        one = len(files.paths) == 1
        return readers.lines(files.paths[0]) if one else map(readers.whole, files.paths)
    reader, first = readers.TABLES[files.kind], files.paths[0]
    columns = reader.columns(first)
    sample = readers.sample(reader, first, columns)
    column = choose_column(files.text_column, columns, sample, str(first), notes)
    rows = chain.from_iterable(reader.rows(path, column) for path in files.paths)
    return (readers.text_of(row.get(column), column, str(first)) for row in rows)
