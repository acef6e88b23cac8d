"""Documents: texts by row number from any source, without holding all of them in memory."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from workbench.corpus.notes import Notes
from workbench.corpus.places import Place, Places
from workbench.corpus.values import outer_column, text_of, value_at

SPOOL = "documents.txt"
"""The file in an entry's scratch folder where sources write text that is too large for memory."""

_ENDS, _FACTS = ".ends.npy", ".json"


class Documents(Protocol):
    """The rows of a source.

    column: the text column, or None. revision: the hub's commit, or None. in_order: whether the rows are
    already shuffled, so that the split takes them in order.
    """

    @property
    def column(self) -> str | None: ...

    @property
    def revision(self) -> str | None: ...

    @property
    def in_order(self) -> bool: ...

    def __len__(self) -> int: ...

    def texts(self, rows: np.ndarray) -> list[str]:
        """The texts of these rows (int64), in this order; "" for a row without text."""
        ...

    def place(self, row: int) -> str:
        """The place of a row, such as "a.csv, line 3"; "" if its number is enough."""
        ...


def named(documents: Documents, row: int) -> str:
    """A document's name in messages: its number, from 1, and its place."""
    place = documents.place(row)
    return f"document {row + 1:,}" + (f" ({place})" if place else "")


class Source(Protocol):
    """A source of documents. Its methods raise CorpusError."""

    def identity(self, notes: Notes) -> Mapping[str, Any]:
        """JSON values that identify this text, found without reading all of it."""
        ...

    def read(self, folder: Path, notes: Notes) -> Documents:
        """Read the documents. Temporary files may be written to `folder`, which is removed later."""
        ...


class ListedDocuments:
    """Documents in memory, for small sources."""

    column: str | None = None
    revision: str | None = None
    in_order = False

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def texts(self, rows: np.ndarray) -> list[str]:
        return [self._texts[row] for row in rows]

    def place(self, row: int) -> str:
        return ""


class SpooledDocuments:
    """Documents in one flat UTF-8 file, for random access to text that is larger than memory.

    `keep` writes where each document ends to a second file, for `reopen`. in_order: whether the rows are
    already shuffled, with the test rows first.
    """

    def __init__(
        self,
        path: Path,
        texts: Iterable[str | None],
        column: str | None,
        revision: str | None = None,
        *,
        in_order: bool = False,
        replaced: Callable[[], None] = lambda: None,
        place: Place | None = None,
        file_name: Callable[[str], str] = str,
    ) -> None:
        """Write `texts` to `path` in order; None becomes an empty text. `replaced` is called for each text
        with a lone surrogate, which JSON allows and which is replaced with a question mark. place: kept up to
        date with the last text of `texts`. file_name: gives the name of a file in messages.
        """
        self.column, self.revision, self.in_order = column, revision, in_order
        self._places = Places(place.unit if place else "line")
        ends = array("q", [0])
        with path.open("wb") as file:
            last_path, expected = None, -1
            for text in texts:
                if place is not None:
                    if place.number != expected or place.path is not last_path:
                        self._places.begin(len(ends) - 1, file_name(str(place.path)), place.number)
                        last_path = place.path
                    expected = place.number + 1 if place.number else 0
                try:
                    content = (text or "").encode()
                except UnicodeEncodeError:
                    replaced()
                    content = (text or "").encode("utf-8", "replace")
                ends.append(ends[-1] + file.write(content))
        self._ends = np.frombuffer(ends, dtype=np.int64)
        self._file = path.open("rb")

    def keep(self) -> None:
        """Write the files that `reopen` needs."""
        path = Path(self._file.name)
        np.save(path.with_suffix(_ENDS), self._ends)
        facts = {
            "column": self.column,
            "revision": self.revision,
            "in_order": self.in_order,
            "places": self._places.as_json(),
        }
        path.with_suffix(_FACTS).write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def reopen(cls, path: Path) -> SpooledDocuments | None:
        """The documents kept at `path`; None if they are missing or incomplete."""
        try:
            facts = json.loads(path.with_suffix(_FACTS).read_text(encoding="utf-8"))
            ends = np.load(path.with_suffix(_ENDS))
            if path.stat().st_size != ends[-1]:
                return None
            spooled = cls(
                Path(os.devnull), (), facts["column"], facts["revision"], in_order=facts["in_order"]
            )
            spooled._ends, spooled._file = ends, path.open("rb")
            spooled._places = Places.from_json(facts["places"])
        except (OSError, ValueError, KeyError, EOFError, TypeError):
            return None
        return spooled

    def __len__(self) -> int:
        return len(self._ends) - 1

    def texts(self, rows: np.ndarray) -> list[str]:
        first, last = self._ends[rows].tolist(), self._ends[rows + 1].tolist()
        # read instead of mapped, because mapped pages count as memory of this process
        number = self._file.fileno()
        return [
            os.pread(number, end - begin, begin).decode("utf-8")
            for begin, end in zip(first, last, strict=True)
        ]

    def place(self, row: int) -> str:
        return self._places.of(row)


class TableDocuments:
    """The text column of a memory-mapped table of the datasets library. Changes to its values are counted
    through `notes` the first time a row is read.
    """

    in_order = False

    def __init__(self, rows: Any, column: str, name: str, revision: str | None, notes: Notes) -> None:
        """column: may be inside another, such as "meta.text"."""
        self._outer = outer_column(column, rows.column_names) or column
        self._rows = rows.select_columns([self._outer])
        self.column, self._name, self.revision = column, name, revision
        self._notes, self._counted = notes, 0  # rows

    def __len__(self) -> int:
        return len(self._rows)

    def texts(self, rows: np.ndarray) -> list[str]:
        values = self._rows[rows.tolist()][self._outer]
        return [self._text(value, row) for value, row in zip(values, rows.tolist(), strict=True)]

    def place(self, row: int) -> str:
        return f"{self._name}, row {row + 1:,}"

    def _text(self, value: object, row: int) -> str:
        if type(value) is str and value and not value.isspace():
            return value
        is_new = row >= self._counted
        self._counted = max(self._counted, row + 1)

        def count(what: str) -> None:
            if is_new:
                self._notes.count(what, self.place(row))

        inside = value if self._outer == self.column else value_at({self._outer: value}, self.column)
        text = text_of(inside, self.column, self.place(row), count) or ""
        if not text or text.isspace():
            count(f"rows without text in the column {self.column!r}")
        return text
