"""Statistics of a prepared text: documents, tokens, chunks, lengths, and unknown tokens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.corpus.chunks import ChunkTable
from workbench.corpus.prepare import Corpus

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BATCH_TOKENS = 1 << 24


@dataclass(frozen=True)
class Side:
    """One side of the split. mean_length, median_length, longest: in tokens per document."""

    documents: int
    tokens: int
    chunks: int
    dropped_tokens: int
    unknown_tokens: int
    mean_length: float
    median_length: float
    longest: int


@dataclass(frozen=True)
class Statistics:
    """Both sides of the split, and all documents together.

    lengths: (from, to, documents), the number of documents with `from` to `to` - 1 tokens, by powers of two.
    unknown_rate: the share of unknown tokens. used_vocabulary: the number of different tokens. notes:
    sentences on what was guessed, changed or left out.
    """

    fingerprint: str
    text_column: str | None
    revision: str | None
    chunk_size: int
    train: Side
    test: Side
    unknown_rate: float
    used_vocabulary: int
    vocabulary: int
    repeated_documents: int
    near_empty_documents: int
    empty_documents: int
    lengths: tuple[tuple[int, int, int], ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The statistics as plain values."""
        return asdict(self)


def statistics(corpus: Corpus, tokenizer: PreTrainedTokenizerBase) -> Statistics:
    """Count in little memory. tokenizer: the one that the corpus was prepared with."""
    unknown = tokenizer.unk_token_id
    counts = np.zeros(max(len(tokenizer), corpus.largest_id + 1), dtype=np.int64)
    sides = {}
    for name, table in (("train", corpus.train), ("test", corpus.test)):
        before = int(counts[unknown]) if unknown is not None else 0
        _count(table, counts)
        now = int(counts[unknown]) if unknown is not None else 0
        sides[name] = _side(table, now - before)
    lengths = np.concatenate([np.diff(corpus.train.offsets), np.diff(corpus.test.offsets)])
    total = sides["train"].tokens + sides["test"].tokens
    return Statistics(
        fingerprint=corpus.fingerprint,
        text_column=corpus.text_column,
        revision=corpus.revision,
        chunk_size=corpus.train.chunk_size,
        **sides,
        unknown_rate=(sides["train"].unknown_tokens + sides["test"].unknown_tokens) / max(1, total),
        used_vocabulary=int((counts > 0).sum()),
        vocabulary=len(tokenizer),
        repeated_documents=corpus.repeated,
        near_empty_documents=corpus.near_empty,
        empty_documents=corpus.empty,
        lengths=_histogram(lengths),
        notes=corpus.notes,
    )


def _side(table: ChunkTable, unknown: int) -> Side:
    lengths = np.diff(table.offsets)
    return Side(
        documents=table.documents,
        tokens=table.tokens,
        chunks=len(table),
        dropped_tokens=table.tokens - len(table) * table.chunk_size,
        unknown_tokens=unknown,
        mean_length=float(lengths.mean()) if len(lengths) else 0.0,
        median_length=float(np.median(lengths)) if len(lengths) else 0.0,
        longest=int(lengths.max(initial=0)),
    )


def _count(table: ChunkTable, counts: np.ndarray) -> None:
    """Add the number of occurrences of each token to `counts`."""
    flat = table.ids.reshape(-1)
    for first in range(0, len(flat), _BATCH_TOKENS):
        counts += np.bincount(flat[first : first + _BATCH_TOKENS], minlength=len(counts))


def _histogram(lengths: np.ndarray) -> tuple[tuple[int, int, int], ...]:
    """The number of documents by the power of two below their length, from shortest to longest."""
    if not len(lengths):
        return ()
    powers = np.bincount(np.log2(lengths).astype(np.int64))
    first = int(np.flatnonzero(powers)[0])
    return tuple((2**power, 2 ** (power + 1), int(powers[power])) for power in range(first, len(powers)))
