"""Finds repeated and nearly empty documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import xxhash

from workbench.corpus.documents import Documents, named
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

FEW_WORDS = 5
"""A document with fewer words is nearly empty."""

_LONGEST_WORD = 100  # characters
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)
_BATCH_DOCUMENTS, _BATCH_CHARACTERS = 1024, 2_000_000


def in_batches(documents: Documents, rows: np.ndarray) -> Iterator[list[str]]:
    """The texts of these rows in order, in batches of about _BATCH_CHARACTERS."""
    first, size = 0, 16
    while first < len(rows):
        texts = documents.texts(rows[first : first + size])
        first += size
        average = max(1, sum(map(len, texts)) // len(texts))
        size = min(max(1, _BATCH_CHARACTERS // average), 4 * size, _BATCH_DOCUMENTS)
        yield texts


def hashes(texts: Sequence[str]) -> np.ndarray:
    """A 64-bit hash of each text, stripped of surrounding whitespace: uint64 (texts,); 0 for an empty one."""
    stripped = (text.strip().encode("utf-8", "replace") for text in texts)
    return np.fromiter((xxhash.xxh3_64_intdigest(text) if text else 0 for text in stripped), np.uint64)


def repeated(hashed: np.ndarray) -> np.ndarray:
    """Which texts repeat an earlier one, by their hashes: bool, of the same shape. Empty texts never do."""
    _, first = np.unique(hashed, return_index=True)
    again = np.ones(len(hashed), dtype=bool)
    again[first] = False
    return again & (hashed != 0)


def apart(text: str) -> str:
    """The text with spaces around each character of a script without spaces between words."""
    if text.isascii() or not _UNSPACED.search(text):
        return text
    return _UNSPACED.sub(r" \g<0> ", text)


def has_words(text: str, words: int) -> bool:
    """Whether a text has at least that many words, without splitting all of it. In scripts without spaces
    between words each character counts as one.
    """
    if not text.isascii():
        text = apart(text[: _LONGEST_WORD * words])
    return len(text.split(None, words)[:words]) == words


def sieve(documents: Documents, *, min_words: int, notes: Notes) -> np.ndarray | None:
    """The rows with at least `min_words` words: int64, ascending; None for all. Raises CorpusError if none is
    left.
    """
    if not min_words:
        return None
    total = len(documents)
    kept = np.ones(total, dtype=bool)
    done = 0
    for texts in in_batches(documents, np.arange(total)):
        kept[done : done + len(texts)] = [has_words(text, min_words) for text in texts]
        done += len(texts)
        notes.progress(done, total, "documents checked")
    short = total - int(kept.sum())
    first = f" First: {named(documents, int(np.argmin(kept)))}." if short else ""
    notes.info(f"Left out {short:,} documents with fewer than {min_words:,} words (min_words).{first}")
    if not kept.any():
        raise CorpusError(f"None of the {total:,} documents has {min_words:,} words.", "Lower min_words.")
    return np.flatnonzero(kept).astype(np.int64)
