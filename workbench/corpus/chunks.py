"""Chunks: rows of equal length cut from a token stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.corpus.streams import TokenStream


@dataclass(frozen=True)
class ChunkTable:
    """The chunks of one side of the corpus, read-only in memory-mapped files.

    ids: (chunks, chunk_size) uint16 or int32. word_starts: the same shape, uint8, 1 where a token begins a
    word. offsets: (documents + 1,) int64; document d is tokens offsets[d] to offsets[d+1] of the stream. The
    chunks are the stream's first len(table) * chunk_size tokens; the rest is dropped.
    """

    ids: np.ndarray
    word_starts: np.ndarray
    offsets: np.ndarray

    @classmethod
    def cut(cls, stream: TokenStream, chunk_size: int) -> ChunkTable:
        """Cut a stream into chunks without copying, so that all chunk sizes share one stream."""
        chunks = len(stream.ids) // chunk_size
        kept = slice(0, chunks * chunk_size)
        shape = (chunks, chunk_size)
        return cls(stream.ids[kept].reshape(shape), stream.word_starts[kept].reshape(shape), stream.offsets)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def chunk_size(self) -> int:
        return int(self.ids.shape[1])

    @property
    def documents(self) -> int:
        return len(self.offsets) - 1

    @property
    def tokens(self) -> int:
        """The number of tokens in the stream, including the dropped rest."""
        return int(self.offsets[-1])

    def document_of_chunk(self) -> np.ndarray:
        """The document in which each chunk begins: (chunks,) int64."""
        starts = np.arange(len(self), dtype=np.int64) * self.chunk_size
        return np.searchsorted(self.offsets, starts, side="right") - 1
