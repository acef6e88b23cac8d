"""Documents: texts by row number, wherever they come from, without holding them all in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from workbench.corpus.notes import Notes


class Documents(Protocol):
    """The rows of a source. `column`: the one that was read. `revision`: the hub's commit. None: there is
    none.
    """

    @property
    def column(self) -> str | None: ...

    @property
    def revision(self) -> str | None: ...

    def __len__(self) -> int: ...

    def texts(self, rows: np.ndarray) -> list[str]:
        """The texts of these rows (int64), in this order; "" where a row holds none."""
        ...


class Source(Protocol):
    """Where documents come from. Its methods raise CorpusError."""

    def identity(self, notes: Notes) -> Mapping[str, Any]:
        """What tells this text from any other, as JSON, found without reading it all."""
        ...

    def read(self, folder: Path, notes: Notes) -> Documents:
        """Read the documents; what memory does not hold may be laid in `folder`, which is removed later."""
        ...


class ListedDocuments:
    """Documents in memory, for a source that is small by nature."""

    column: str | None = None
    revision: str | None = None

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def texts(self, rows: np.ndarray) -> list[str]:
        return [self._texts[row] for row in rows]


class SpooledDocuments:
    """Documents in one flat file of UTF-8, so that any row can be had of text that is larger than memory."""

    revision: str | None = None

    def __init__(self, path: Path, texts: Iterable[str | None], column: str | None) -> None:
        """Write `texts`, in order, to `path`; None is kept as an empty text."""
        self.column = column
        ends = [0]
        with path.open("wb") as file:
            for text in texts:
                # a lone surrogate, which JSON can spell, has no UTF-8: shown as ?
                ends.append(ends[-1] + file.write((text or "").encode("utf-8", "replace")))
        self._ends = np.array(ends, dtype=np.int64)
        self._bytes = np.memmap(path, np.uint8, "r") if ends[-1] else np.empty(0, np.uint8)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def texts(self, rows: np.ndarray) -> list[str]:
        first, last = self._ends[rows], self._ends[rows + 1]
        return [
            self._bytes[a:b].tobytes().decode("utf-8")
            for a, b in zip(first.tolist(), last.tolist(), strict=True)
        ]
