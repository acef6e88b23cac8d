"""Documents that are there twice, or hold next to nothing: counted, or left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xxhash

from workbench.corpus.documents import Documents
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

FEW_WORDS = 5
"""A document with fewer words says next to nothing."""

_AT_ONCE, _CHARACTERS_AT_ONCE = 1024, 2_000_000  # documents; of text


def in_batches(documents: Documents, rows: np.ndarray) -> Iterator[list[str]]:
    """The texts of these rows in order, about _CHARACTERS_AT_ONCE of them at once."""
    first, size = 0, 16
    while first < len(rows):
        texts = documents.texts(rows[first : first + size])
        first += size
        average = max(1, sum(map(len, texts)) // len(texts))
        size = min(max(1, _CHARACTERS_AT_ONCE // average), 4 * size, _AT_ONCE)
        yield texts


def hashes(texts: Sequence[str]) -> np.ndarray:
    """A 64-bit hash of each text without the blanks around it: uint64 (texts,); 0 for an empty one."""
    stripped = (text.strip().encode("utf-8", "replace") for text in texts)
    return np.fromiter((xxhash.xxh3_64_intdigest(text) if text else 0 for text in stripped), np.uint64)


def repeated(hashed: np.ndarray) -> np.ndarray:
    """Which texts were there before, by their hashes: bool, of the same shape. Empty ones never were."""
    _, first = np.unique(hashed, return_index=True)
    again = np.ones(len(hashed), dtype=bool)
    again[first] = False
    return again & (hashed != 0)


def has_words(text: str, words: int) -> bool:
    """Whether a text has that many words, found without dividing all of it."""
    return len(text.split(None, words)[:words]) == words


def sieve(documents: Documents, *, drop_duplicates: bool, min_words: int, notes: Notes) -> np.ndarray | None:
    """The rows that are left: int64, ascending; None when all are. Raises CorpusError when none is."""
    if not (drop_duplicates or min_words):
        return None
    total = len(documents)
    kept = np.ones(total, dtype=bool)
    hashed = np.zeros(total, dtype=np.uint64)
    done = 0
    for texts in in_batches(documents, np.arange(total)):
        rows = np.arange(done, done + len(texts))
        done += len(texts)
        if drop_duplicates:
            hashed[rows] = hashes(texts)
        if min_words:
            kept[rows] = [has_words(text, min_words) for text in texts]
        notes.progress(done, total, "documents looked at")
    short = total - int(kept.sum())
    if drop_duplicates:
        again = repeated(np.where(kept, hashed, np.uint64(0)))
        kept &= ~again
        notes.info(f"Left out {int(again.sum()):,} documents that were there before (duplicates = drop).")
    if min_words:
        notes.info(f"Left out {short:,} documents of fewer than {min_words:,} words (min_words).")
    if not kept.any():
        raise CorpusError(f"None of the {total:,} documents is left.", "Lower min_words, or keep duplicates.")
    return np.flatnonzero(kept).astype(np.int64)
