"""An entry of the cache: a source read, split, tokenized and written down; and opened again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.corpus import cache as cached
from workbench.corpus.documents import Documents, Source
from workbench.corpus.notes import Notes
from workbench.corpus.split import split_rows
from workbench.corpus.streams import StreamWriter, TokenStream
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.recipe import Recipe
from workbench.training.events import Listener, Phase, PhaseChanged, Progress

FORMAT = 1
"""Counted up when what lies in the cache changes its meaning."""

_BATCH_DOCUMENTS = 1024
_BATCH_CHARACTERS = 2_000_000


@dataclass(frozen=True)
class Entry:
    """A prepared text in the cache. `notes`: what the person should know of it, at each use."""

    train: TokenStream
    test: TokenStream
    fingerprint: str
    text_column: str | None
    revision: str | None
    largest_id: int
    notes: tuple[tuple[str, str], ...]


def open_entry(folder: Path) -> Entry | None:
    """The entry in a folder, or None when there is none; a damaged one is removed."""
    if not folder.is_dir():
        return None
    facts = cached.read_facts(folder) or {}
    try:
        return Entry(
            TokenStream.open(folder, "train", facts["train"]),
            TokenStream.open(folder, "test", facts["test"]),
            str(facts["fingerprint"]),
            facts["text_column"],
            facts["revision"],
            max(facts["train"]["largest_id"], facts["test"]["largest_id"]),
            tuple((level, text) for level, text in facts["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        cached.discard(folder)
        return None


def build_entry(
    folder: Path,
    source: Source,
    recipe: Recipe,
    encoder: DocumentTokenizer,
    notes: Notes,
    listen: Listener,
) -> None:
    """Write a whole entry into `folder`. Raises CorpusError."""
    scratch = folder / "scratch"
    scratch.mkdir()
    documents = source.read(scratch, notes)
    train, test = split_rows(len(documents), recipe.test_size, recipe.train_size, recipe.seed_of_split, notes)
    listen(PhaseChanged(Phase.TOKENIZING))
    total = len(train) + len(test)
    done = 0
    sides = {}
    for side, rows in (("test", test), ("train", train)):
        writer = StreamWriter(folder, side, encoder.dtype)
        try:
            for texts in _batches(documents, rows):
                writer.write(encoder(texts))
                done += len(texts)
                listen(Progress(done, total, "documents"))
        finally:
            sides[side] = writer.close()
    skipped = sides["train"]["skipped"] + sides["test"]["skipped"]
    if skipped:
        notes.warning(f"{skipped:,} of {total:,} rows hold no text and were left out.")
    both = f"{sides['train']['sha256']} {sides['test']['sha256']}"
    facts = {
        **sides,
        "fingerprint": hashlib.sha256(both.encode()).hexdigest()[:16],
        "text_column": documents.column,
        "revision": documents.revision,
        "notes": notes.kept,
    }
    del documents
    cached.remove_scratch(scratch)
    cached.write_facts(folder, facts)


def _batches(documents: Documents, rows: np.ndarray) -> Iterator[list[str]]:
    """The texts of these rows in order, as many at once as make up about _BATCH_CHARACTERS."""
    # the fast tokenizer may use all processors, unless the person has said otherwise
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    first, size = 0, 16
    while first < len(rows):
        texts = documents.texts(rows[first : first + size])
        first += size
        yield ["" if text.isspace() else text for text in texts]
        average = max(1, sum(map(len, texts)) // len(texts))
        size = min(max(1, _BATCH_CHARACTERS // average), 4 * size, _BATCH_DOCUMENTS)
