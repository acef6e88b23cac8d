"""Documents that are there twice, or hold next to nothing: counted, or left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import xxhash

from workbench.corpus.documents import Documents, named
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

FEW_WORDS = 5
"""A document with fewer words says next to nothing."""

_LONGEST_WORD = 100  # characters
_WITHOUT_BLANKS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)
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


def apart(text: str) -> str:
    """A text with blanks around each character of the scripts that have none between words."""
    if text.isascii() or not _WITHOUT_BLANKS.search(text):
        return text
    return _WITHOUT_BLANKS.sub(r" \g<0> ", text)


def has_words(text: str, words: int) -> bool:
    """Whether a text has that many words, found without dividing all of it. Where a script has no blanks
    between words, each character counts.
    """
    if not text.isascii():
        text = apart(text[: _LONGEST_WORD * words])
    return len(text.split(None, words)[:words]) == words


def sieve(documents: Documents, *, min_words: int, notes: Notes) -> np.ndarray | None:
    """The rows that are left: int64, ascending; None when all are. Raises CorpusError when none is."""
    if not min_words:
        return None
    total = len(documents)
    kept = np.ones(total, dtype=bool)
    done = 0
    for texts in in_batches(documents, np.arange(total)):
        kept[done : done + len(texts)] = [has_words(text, min_words) for text in texts]
        done += len(texts)
        notes.progress(done, total, "documents looked at")
    short = total - int(kept.sum())
    first = f" The first: {named(documents, int(np.argmin(kept)))}." if short else ""
    notes.info(f"Left out {short:,} documents of fewer than {min_words:,} words (min_words).{first}")
    if not kept.any():
        raise CorpusError(f"None of the {total:,} documents is left.", "Lower min_words.")
    return np.flatnonzero(kept).astype(np.int64)
