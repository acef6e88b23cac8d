"""Builds a cache entry (a source's text, split and tokenized) and opens it again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.corpus import cache as cached
from workbench.corpus.documents import SPOOL, Documents, Source, SpooledDocuments, named
from workbench.corpus.journal import Journal
from workbench.corpus.notes import Notes
from workbench.corpus.sample import masked_sentence
from workbench.corpus.selection import selected_rows
from workbench.corpus.streams import TokenStream
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.corpus.unknown import judge
from workbench.errors import CorpusError
from workbench.events import Listener, Phase, PhaseChanged, Progress
from workbench.recipe import Recipe

FORMAT = 5
"""Increased whenever the meaning of the cached files changes."""

ON_THIS_MACHINE = ("files", "saved")
"""The kinds of sources that can be examined again at any time; the hub would need the network."""

_BATCH_DOCUMENTS = 1024
_BATCH_CHARACTERS = 2_000_000


@dataclass(frozen=True)
class Entry:
    """A prepared text in the cache.

    repeated, near_empty, empty: the number of documents equal to an earlier one, with fewer than FEW_WORDS
    words, or without text. sample: a test sentence with one word masked. unspaced: whether some document is
    in a script written without spaces. notes: (level, sentence) for the user, repeated at each use.
    """

    train: TokenStream
    test: TokenStream
    fingerprint: str
    text_column: str | None
    revision: str | None
    largest_id: int
    repeated: int
    near_empty: int
    empty: int
    sample: str
    unspaced: bool
    notes: tuple[tuple[str, str], ...]


def open_entry(folder: Path) -> Entry | None:
    """The entry in a folder; None if there is none. A damaged entry is removed."""
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
            int(facts["repeated"]),
            int(facts["near_empty"]),
            int(facts["train"]["skipped"] + facts["test"]["skipped"]),
            str(facts["sample"]),
            bool(facts["unspaced"]),
            tuple((level, text) for level, text in facts["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        cached.discard(folder)
        return None


def build_entry(
    folder: Path,
    source: Source,
    identity: Mapping[str, Any],
    recipe: Recipe,
    encoder: DocumentTokenizer,
    notes: Notes,
    listen: Listener,
) -> None:
    """Write an entry into `folder`, resuming an interrupted attempt if there is one. identity: the source's.

    Raises CorpusError.
    """
    scratch = folder / cached.SCRATCH
    journal = Journal(folder, encoder.dtype)
    documents = _read(source, identity, scratch, journal, notes)
    train, test = selected_rows(documents, recipe, scratch, notes)
    listen(PhaseChanged(Phase.TOKENIZING))
    total = len(train) + len(test)
    sides = {"test": test, "train": train}
    try:
        for side, picked in sides.items():
            writer = journal.writer(side)
            before = 0 if side == "test" else len(test)
            for texts in _batches(documents, picked, journal):
                writer.write(encoder(texts))
                unknown, first = encoder.unknown.take()
                rows_of = picked[journal.rows_done :]
                journal.found_unknown(unknown, (first[0], int(rows_of[first[1]])) if first else None)
                journal.unspaced = journal.unspaced or encoder.unspaced
                journal.wrote(texts)
                listen(Progress(before + journal.rows_done, total, "documents"))
    finally:
        facts = journal.close()
    tokens = facts["train"]["tokens"] + facts["test"]["tokens"]
    first_unknown = journal.first_unknown
    where = (first_unknown[0], named(documents, first_unknown[1])) if first_unknown else None
    judge(journal.unknown, tokens, where, recipe.model, notes)
    skipped = facts["train"]["skipped"] + facts["test"]["skipped"]
    if skipped:
        notes.warning(f"{skipped:,} of {total:,} rows without text were left out.")
    notes.tell_counts()
    both = f"{facts['train']['sha256']} {facts['test']['sha256']}"
    cached.write_facts(
        folder,
        {
            **facts,
            "fingerprint": hashlib.sha256(both.encode()).hexdigest()[:16],
            "text_column": documents.column,
            "revision": documents.revision,
            "unspaced": journal.unspaced,
            "words": encoder.words_version,
            "sample": masked_sentence(documents.texts(test[:20])),
            "notes": notes.kept,
            "source": dict(identity),
        },
    )


def _read(
    source: Source, identity: Mapping[str, Any], scratch: Path, journal: Journal, notes: Notes
) -> Documents:
    """The source's documents, from an interrupted attempt if it had read them all."""
    spooled = SpooledDocuments.reopen(scratch / SPOOL)
    if spooled is not None:
        notes.repeat(journal.notes)
        return spooled
    documents = source.read(scratch, notes)
    if identity.get("source") in ON_THIS_MACHINE and source.identity(Notes(lambda event: None)) != identity:
        raise CorpusError(
            "The text changed while it was read.", "Try again when no program writes to its files."
        )
    notes.tell_counts()
    if isinstance(documents, SpooledDocuments):
        documents.keep()
    journal.notes = list(notes.kept)
    return documents


def _batches(documents: Documents, rows: np.ndarray, journal: Journal) -> Iterator[list[str]]:
    """The texts of the remaining rows in order, in batches of about _BATCH_CHARACTERS."""
    # lets the fast tokenizer use all processors, unless the user has set it
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    while journal.rows_done < len(rows):
        first, size = journal.rows_done, journal.next_batch
        texts = documents.texts(rows[first : first + size])
        average = max(1, sum(map(len, texts)) // len(texts))
        journal.next_batch = min(max(1, _BATCH_CHARACTERS // average), 4 * size, _BATCH_DOCUMENTS)
        yield ["" if text.isspace() else text for text in texts]
