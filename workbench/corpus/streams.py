"""Token streams on disk, one for each side of the split: written in batches, read by memory map."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from workbench.corpus.tokenizing import Tokens


@dataclass(frozen=True)
class TokenStream:
    """All tokens of one side, with the documents concatenated.

    ids: (tokens,) uint16 or int32. word_starts: (tokens,) uint8. offsets: (documents + 1,) int64, the
    beginning of each document, and the end. All are memory-mapped.
    """

    ids: np.ndarray
    word_starts: np.ndarray
    offsets: np.ndarray

    @classmethod
    def open(cls, folder: Path, side: str, facts: dict[str, Any]) -> Self:
        """Map the files of a StreamWriter. facts: the result of its `close`. Raises ValueError, OSError."""
        ids, word_starts, offsets = _paths(folder, side)
        tokens, documents = int(facts["tokens"]), int(facts["documents"])
        return cls(
            _map(ids, np.dtype(facts["dtype"]), tokens),
            _map(word_starts, np.dtype(np.uint8), tokens),
            _map(offsets, np.dtype(np.int64), documents + 1),
        )


class StreamWriter:
    """Writes the stream of one side. Documents without tokens are left out and counted.

    Writing can be continued later: `state` records the progress, and `resume` continues from it.
    """

    def __init__(self, folder: Path, side: str, dtype: np.dtype[Any], *, resume: bool = False) -> None:
        self._dtype = dtype
        self._files = [path.open("r+b" if resume else "wb") for path in _paths(folder, side)]
        if not resume:
            self._files[2].write(np.zeros(1, np.int64).tobytes())
        self._digest = hashlib.sha256()
        self._batches: list[list[int]] = []  # documents and tokens of each batch
        self._tokens = self._documents = self._skipped = self._largest = 0

    @classmethod
    def resume(cls, folder: Path, side: str, dtype: np.dtype[Any], state: dict[str, Any]) -> Self:
        """Continue from `state`; later writes are discarded. Raises ValueError, OSError."""
        writer = cls(folder, side, dtype, resume=True)
        ids, _, offsets = writer._files
        begin = np.fromfile(offsets, np.int64, 1)
        for documents, tokens in state["batches"]:
            batch = np.fromfile(ids, dtype, tokens)
            ends = np.fromfile(offsets, np.int64, documents)
            if len(batch) != tokens or len(ends) != documents:
                raise ValueError(f"{ids.name} is incomplete")
            writer._count(batch, np.diff(ends, prepend=begin))
            begin = ends[-1:] if documents else begin
        writer._skipped, writer._largest = state["skipped"], state["largest"]
        for file, size in zip(writer._files, (dtype.itemsize, 1, 8), strict=True):
            items = writer._tokens if file is not offsets else writer._documents + 1
            if file.seek(0, os.SEEK_END) < items * size:
                raise ValueError(f"{file.name} is incomplete")
            file.seek(file.truncate(items * size))
        return writer

    def write(self, batch: Tokens) -> None:
        lengths = batch.lengths[batch.lengths > 0]
        ends = self._tokens + lengths.cumsum()
        ids = np.ascontiguousarray(batch.ids, dtype=self._dtype)
        for file, array in zip(self._files, (ids, batch.word_starts, ends.astype(np.int64)), strict=True):
            file.write(array.tobytes())
        self._count(ids, lengths)
        self._skipped += len(batch.lengths) - len(lengths)
        self._largest = max(self._largest, int(ids.max(initial=0)))

    def state(self) -> dict[str, Any]:
        """Flush everything to the disk and return the progress as JSON."""
        for file in self._files:
            file.flush()
            os.fsync(file.fileno())
        return {"batches": self._batches, "skipped": self._skipped, "largest": self._largest}

    def close(self) -> dict[str, Any]:
        """Close the files and return the facts about them as JSON."""
        for file in self._files:
            file.close()
        return {
            "dtype": self._dtype.name,
            "tokens": self._tokens,
            "documents": self._documents,
            "skipped": self._skipped,
            "largest_id": self._largest,
            "sha256": self._digest.hexdigest(),
        }

    def _count(self, ids: np.ndarray, lengths: np.ndarray) -> None:
        self._digest.update(ids.astype("<i4").tobytes())
        self._digest.update(lengths.astype("<i8").tobytes())
        self._tokens += len(ids)
        self._documents += len(lengths)
        self._batches.append([len(lengths), len(ids)])


def _paths(folder: Path, side: str) -> tuple[Path, Path, Path]:
    return folder / f"{side}.ids", folder / f"{side}.words", folder / f"{side}.documents"


def _map(path: Path, dtype: np.dtype[Any], length: int) -> np.ndarray:
    if path.stat().st_size != length * dtype.itemsize:
        raise ValueError(f"{path} is incomplete")
    return np.memmap(path, dtype, "r", shape=(length,)) if length else np.empty(0, dtype)
