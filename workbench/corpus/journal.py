"""Records the progress of tokenizing a text now and then, so that a later attempt continues from there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.corpus.cache import JOURNAL, SCRATCH
from workbench.corpus.dedup import FEW_WORDS, has_words, hashes, repeated
from workbench.corpus.streams import StreamWriter

WRITE_EVERY = 32_000_000
"""The characters of text between two records: at most a few seconds of work are lost."""

_FIRST_BATCH = 16  # documents
_HASHES = "hashes"


class Journal:
    """The token streams of both sides and the counts of their documents, while they are written to a folder.

    The sides are written one after the other. rows_done: the finished rows of the current side. next_batch:
    the size of its next batch in documents. unknown: tokens that the tokenizer does not know. first_unknown:
    the first of them and its row. unspaced: whether some document is in a script without spaces.
    """

    def __init__(self, folder: Path, dtype: np.dtype[Any]) -> None:
        self._folder, self._dtype = folder, dtype
        self._path = folder / SCRATCH / JOURNAL
        self._hashes = (folder / SCRATCH / _HASHES).open("a+b")
        self._writers: dict[str, StreamWriter] = {}
        self._marks: dict[str, dict[str, Any]] = {}
        self._side, self._unwritten = "", 0
        self._hashed = self._near_empty = 0
        self.unknown = 0
        self.first_unknown: tuple[str, int] | None = None
        self.unspaced = False
        self.rows_done, self.next_batch = 0, _FIRST_BATCH
        self.notes: list[tuple[str, str]] = []
        self._recorded: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(self._path.read_text(encoding="utf-8"))
            self.notes = [(level, text) for level, text in record["notes"]]
            self._recorded = dict(record["sides"])

    def writer(self, side: str) -> StreamWriter:
        """The stream of the next side, positioned where an earlier attempt left it."""
        self._side, self.rows_done, self.next_batch = side, 0, _FIRST_BATCH
        try:
            stream, mark = self._recorded[side]["stream"], self._recorded[side]["mark"]
            self._writers[side] = StreamWriter.resume(self._folder, side, self._dtype, stream)
            self.rows_done, self.next_batch = mark["rows"], mark["next"]
            self._near_empty, self._hashed = mark["near_empty"], mark["hashed"]
            self.unknown, first = mark["unknown"], mark["first_unknown"]
            self.unspaced = bool(mark["unspaced"])
            self.first_unknown = (str(first[0]), int(first[1])) if first else None
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            self._recorded = {}
            self._writers[side] = StreamWriter(self._folder, side, self._dtype)
        self._hashes.truncate(8 * self._hashed)
        self._mark()
        return self._writers[side]

    def found_unknown(self, tokens: int, first: tuple[str, int] | None) -> None:
        """Count the unknown tokens of the next call to `wrote`; first: the first of them and its row."""
        self.unknown += tokens
        self.first_unknown = self.first_unknown or first

    def wrote(self, texts: Sequence[str]) -> None:
        """Record that these documents were written to the current side's stream."""
        self.rows_done += len(texts)
        self._hashes.write(hashes(texts).tobytes())
        self._hashed += len(texts)
        self._near_empty += sum(not has_words(text, FEW_WORDS) for text in texts if text)
        self._mark()
        self._unwritten += sum(map(len, texts))
        if self._unwritten >= WRITE_EVERY:
            self._write()

    def close(self) -> dict[str, Any]:
        """Close the files and return the facts about both sides, as JSON."""
        self._hashes.seek(0)
        hashed = np.frombuffer(self._hashes.read(), np.uint64)
        self._hashes.close()
        facts: dict[str, Any] = {side: writer.close() for side, writer in self._writers.items()}
        return {**facts, "repeated": int(repeated(hashed).sum()), "near_empty": self._near_empty}

    def _mark(self) -> None:
        self._marks[self._side] = {
            "rows": self.rows_done,
            "next": self.next_batch,
            "near_empty": self._near_empty,
            "hashed": self._hashed,
            "unknown": self.unknown,
            "first_unknown": self.first_unknown,
            "unspaced": self.unspaced,
        }

    def _write(self) -> None:
        self._unwritten = 0
        self._hashes.flush()
        sides = {
            side: {"stream": writer.state(), "mark": self._marks[side]}
            for side, writer in self._writers.items()
        }
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps({"notes": self.notes, "sides": sides}), encoding="utf-8")
        part.replace(self._path)
