"""Finds equal and nearly equal documents with MinHash and locality-sensitive hashing.

Two documents are nearly equal if the sets of their pairs of adjacent words (lowercased, split at whitespace;
in scripts without spaces each character is a word) have a Jaccard similarity of at least NEAR. Candidates
come from MinHash signatures (Broder, "On the resemblance and containment of documents", 1997) in bands
(Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4). Each candidate is verified on the
texts themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.corpus.counters import mix
from workbench.corpus.dedup import apart, hashes, in_batches
from workbench.corpus.documents import Documents
from workbench.corpus.notes import Notes

NEAR = 0.7
"""The Jaccard similarity of word pairs at which documents count as nearly equal."""
SHORT = 16
"""If either document has fewer different word pairs, all pairs must be equal, because a single word changes
too large a part.
"""

_BANDS, _ROWS = 16, 5
"""A pair of similarity s is a candidate with probability 1 - (1 - s^5)^16: 0.998 at 0.8, 0.95 at 0.7."""
_LONGEST = 1_000_000
"""The characters of a document that are compared."""
_BATCH_BYTES = 1 << 19
_BLANKS = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_WITHOUT_WIDTH = re.compile("[\xad\u200b-\u200f\u2060\ufeff]")
_BLANK = np.isin(np.arange(256), list(b" \t\n\r\f\v"))
_BASE = 0x100000001B3  # odd, so that it has an inverse
_BATCH_SHINGLES = 1 << 16
_GOLDEN, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Copies:
    """The groups of equal and nearly equal rows.

    groups: int64 (rows,), the position of each row's first copy, or its own. equal_to: the same for rows with
    equal texts, ignoring surrounding whitespace. near: the number of other rows nearly equal to an earlier
    one. pairs: examples of these, as positions.
    """

    groups: np.ndarray
    equal_to: np.ndarray
    near: int
    pairs: tuple[tuple[int, int], ...]

    @property
    def equal(self) -> np.ndarray:
        """Which rows repeat the text of an earlier row: bool (rows,)."""
        is_equal: np.ndarray = self.equal_to != np.arange(len(self.groups))
        return is_equal

    @property
    def first(self) -> np.ndarray:
        """Which rows are the first of their group: bool (rows,)."""
        is_first: np.ndarray = self.groups == np.arange(len(self.groups))
        return is_first


def find_copies(documents: Documents, rows: np.ndarray, scratch: Path, notes: Notes) -> Copies:
    """The copies among these rows (int64). scratch: a folder for temporary files."""
    total = len(rows)
    hashed = np.zeros(total, dtype=np.uint64)
    sizes = np.zeros(total, dtype=np.int32)
    with _Bands(scratch) as bands:
        done = 0
        for texts in in_batches(documents, rows):
            part = slice(done, done + len(texts))
            hashed[part] = hashes(texts)
            pairs, counts = shingles(texts)
            sizes[part] = counts
            bands.write(_signatures(pairs, counts))
            done += len(texts)
            notes.progress(done, total, "documents compared")
        return _grouped(documents, rows, hashed, sizes, bands)


def jaccard(text: str, other: str) -> float:
    """The Jaccard similarity of two texts' word pairs: 0 to 1."""
    return _similarity(word_pairs(text), word_pairs(other))


def _grouped(
    documents: Documents,
    rows: np.ndarray,
    hashed: np.ndarray,
    sizes: np.ndarray,
    bands: _Bands,
) -> Copies:
    total = len(rows)
    groups = _first_equal(hashed)
    equal_to = groups.copy()
    distinct = np.flatnonzero((groups == np.arange(total)) & (sizes > 0))
    pairs: list[tuple[int, int]] = []
    judge = _Judge(documents, rows)
    for band in range(_BANDS):
        for row, other in _candidates(bands.read(band)[distinct], distinct, sizes):
            first, second = _root(groups, row), _root(groups, other)
            if first != second and judge.are_near(row, other):
                groups[max(first, second)] = min(first, second)
                pairs.append((row, other))
    near = len(distinct) - int((groups[distinct] == distinct).sum())
    while not np.array_equal(groups, groups[groups]):
        groups = groups[groups]
    return Copies(groups, equal_to, near, tuple(sorted(pairs)[:3]))


def _candidates(keys: np.ndarray, distinct: np.ndarray, sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of rows with the same key: each row with the first and the previous row of that key."""
    order = np.argsort(keys, kind="stable")
    same = keys[order[1:]] == keys[order[:-1]]
    if not same.any():
        return
    position = np.arange(len(order))
    begins = np.maximum.accumulate(np.where(np.concatenate([[True], ~same]), position, 0))
    again = np.flatnonzero(same) + 1
    for before in (begins[again], again - 1):
        first, second = distinct[order[before]], distinct[order[again]]
        smaller, larger = np.minimum(sizes[first], sizes[second]), np.maximum(sizes[first], sizes[second])
        fits = (first != second) & (smaller >= NEAR * larger)
        yield from zip(first[fits].tolist(), second[fits].tolist(), strict=True)


def _first_equal(hashed: np.ndarray) -> np.ndarray:
    """The position of the first row with the same hash; empty rows equal no other."""
    _, first, inverse = np.unique(hashed, return_index=True, return_inverse=True)
    groups = first[inverse].astype(np.int64)
    empty = np.flatnonzero(hashed == 0)
    groups[empty] = empty
    return groups


def _root(groups: np.ndarray, row: int) -> int:
    while (above := int(groups[row])) != row:
        groups[row] = groups[above]
        row = int(groups[row])
    return row


def shingles(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The hashes of all texts' word pairs, uint64, concatenated, and the number for each text, int64
    (texts,). A text of one word has that word; an empty one has none.
    """
    parts = [_pairs(*_word_hashes(part)) for part in _batches(texts)]
    return np.concatenate([pairs for pairs, _ in parts]), np.concatenate([counts for _, counts in parts])


def word_pairs(text: str) -> np.ndarray:
    """The set of one text's word pairs, sorted."""
    return np.unique(shingles([text])[0])


def _batches(texts: Sequence[str]) -> Iterator[list[bytes]]:
    """The texts in the form that is compared, in UTF-8, in batches of about _BATCH_BYTES."""
    batch: list[bytes] = []
    size = 0
    for text in texts:
        batch.append(_plain(text[:_LONGEST]).encode("utf-8", "replace"))
        size += len(batch[-1])
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _plain(text: str) -> str:
    """A text lowercased, composed (NFC), with plain spaces and without zero-width characters."""
    if not text.isascii():
        text = _WITHOUT_WIDTH.sub("", _BLANKS.sub(" ", unicodedata.normalize("NFC", text)))
    return apart(text.lower())


def _word_hashes(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The hash of each word, uint64, concatenated, and the number of words of each text.

    The hash is a polynomial in the word's bytes modulo 2^64. It is the difference of two prefix sums, so that
    all words are hashed at once (Karp and Rabin, "Efficient randomized pattern-matching algorithms", 1987).
    """
    letters = np.frombuffer(b" " + b" ".join(texts) + b" ", np.uint8)
    blank = _BLANK[letters]
    edges = np.flatnonzero(blank[1:] != blank[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    powers, inverses = _powers(len(letters))
    sums = np.cumsum(letters * powers)
    hashed = (sums[ends - 1] - sums[starts - 1]) * inverses[starts]
    hashed ^= hashed >> np.uint64(29)
    hashed *= _MIX
    begins = np.cumsum([1, *(len(text) + 1 for text in texts)])
    return hashed, np.diff(np.searchsorted(starts, begins))


def _pairs(hashed: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The hashes of pairs of adjacent words, and the number of pairs of each text."""
    if not len(hashed):
        return hashed, counts
    pairs = hashed * _GOLDEN
    pairs[:-1] ^= hashed[1:]
    ends = counts.cumsum() - 1
    single = ends[counts == 1]
    pairs[single] = hashed[single]
    pairs *= _MIX
    pairs ^= pairs >> np.uint64(31)
    keep = np.ones(len(pairs), dtype=bool)
    keep[ends[counts > 1]] = False  # the last word of a text begins no pair
    return pairs[keep], np.where(counts > 1, counts - 1, counts)


_cached_powers: list[np.ndarray] = [np.ones(0, np.uint64), np.ones(0, np.uint64)]


def _powers(length: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `length` powers of _BASE, and at least so many of its inverse modulo 2^64: uint64."""
    if len(_cached_powers[0]) < length:
        for number, base in enumerate((_BASE, pow(_BASE, -1, 1 << 64))):
            steps = np.full(max(length, 2 * _BATCH_BYTES), base, dtype=np.uint64)
            steps[0] = 1
            _cached_powers[number] = np.cumprod(steps)
    return _cached_powers[0][:length], _cached_powers[1]


def are_near(pairs: np.ndarray, others: np.ndarray) -> bool:
    """Whether two documents with these word pairs (each a sorted set) count as nearly equal."""
    least = NEAR if min(len(pairs), len(others)) >= SHORT else 1.0
    return _similarity(pairs, others) >= least


def _similarity(pairs: np.ndarray, others: np.ndarray) -> float:
    common = len(np.intersect1d(pairs, others, assume_unique=True))
    return common / max(1, len(pairs) + len(others) - common)


def _signatures(pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The keys of each text's bands: uint32 (_BANDS, texts); 0 for texts without word pairs."""
    keys = np.zeros((_BANDS, len(counts)), dtype=np.uint32)
    full = np.flatnonzero(counts)
    first = 0
    ends = counts[full].cumsum()
    while first < len(full):  # in batches that fit the processor's cache
        begin = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, begin + _BATCH_SHINGLES)))
        part = (pairs[begin : int(ends[last - 1])] >> np.uint64(32)).astype(np.uint32)
        starts = np.concatenate([[0], ends[first : last - 1] - begin])
        moved = np.empty_like(part)
        for band in range(_BANDS):
            key = np.zeros(last - first, dtype=np.uint32)
            for row in range(band * _ROWS, (band + 1) * _ROWS):
                np.bitwise_xor(part, _FLIPS[row], out=moved)
                np.multiply(moved, _FACTORS[row], out=moved)
                key = (key ^ np.minimum.reduceat(moved, starts)) * np.uint32(0x9E3779B1)
                key ^= key >> np.uint32(15)
            keys[band, full[first:last]] = key
        first = last
    return keys


_FLIPS = np.array([mix(2 * row + 1) >> 32 for row in range(_BANDS * _ROWS)], dtype=np.uint32)
_FACTORS = np.array([mix(2 * row + 2) >> 32 | 1 for row in range(_BANDS * _ROWS)], dtype=np.uint32)


class _Bands:
    """The keys of all rows in one file per band, so that only one band is in memory at a time."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"band-{number}" for number in range(_BANDS)]

    def __enter__(self) -> _Bands:
        self._files = [path.open("w+b") for path in self._paths]
        return self

    def __exit__(self, *error: object) -> None:
        for file, path in zip(self._files, self._paths, strict=True):
            file.close()
            path.unlink(missing_ok=True)

    def write(self, keys: np.ndarray) -> None:
        for file, row in zip(self._files, keys, strict=True):
            file.write(row.tobytes())

    def read(self, band: int) -> np.ndarray:
        self._files[band].seek(0)
        return np.frombuffer(self._files[band].read(), np.uint32)


class _Judge:
    """Compares two rows by their texts; the word pairs of the last comparison are cached."""

    def __init__(self, documents: Documents, rows: np.ndarray) -> None:
        self._documents, self._rows = documents, rows
        self._last: dict[int, np.ndarray] = {}

    def are_near(self, row: int, other: int) -> bool:
        last = {position: self._last[position] for position in (row, other) if position in self._last}
        for position in (row, other):
            if position not in last:
                text = self._documents.texts(self._rows[position : position + 1])[0]
                last[position] = word_pairs(text)
        self._last = last
        return are_near(last[row], last[other])
