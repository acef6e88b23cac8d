"""Documents: texts by row number, wherever they come from, without holding them all in memory."""

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
"""In an entry's scratch folder: where sources lay text that memory does not hold."""

_ENDS, _FACTS = ".ends.npy", ".json"


class Documents(Protocol):
    """The rows of a source. `column`: the one that was read. `revision`: the hub's commit. None: there is
    none. `in_order`: whether they are at random already, so that the split takes them as they come.
    """

    @property
    def column(self) -> str | None: ...

    @property
    def revision(self) -> str | None: ...

    @property
    def in_order(self) -> bool: ...

    def __len__(self) -> int: ...

    def texts(self, rows: np.ndarray) -> list[str]:
        """The texts of these rows (int64), in this order; "" where a row holds none."""
        ...

    def place(self, row: int) -> str:
        """Where a row stands, such as "a.csv, line 3"; "" where its number says it all."""
        ...


def named(documents: Documents, row: int) -> str:
    """A document for the person: its number, from 1, and its place."""
    place = documents.place(row)
    return f"document {row + 1:,}" + (f" ({place})" if place else "")


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
    """Documents in one flat file of UTF-8, so that any row can be had of text that is larger than memory.

    Beside it lies where each of them ends, so that it can be opened again. `in_order`: the rows are at random
    already, those of the test first.
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
        call: Callable[[str], str] = str,
    ) -> None:
        """Write `texts`, in order, to `path`; None is kept as an empty text. `replaced` hears of each text in
        which half a character, which JSON can spell, is replaced by a question mark. place: where the text
        stands that `texts` gave last. call: gives the name that a file has for the person.
        """
        self.column, self.revision, self.in_order = column, revision, in_order
        self._places = Places(place.unit if place else "line")
        ends = array("q", [0])
        with path.open("wb") as file:
            known, expected = None, -1
            for text in texts:
                if place is not None:
                    if place.number != expected or place.path is not known:
                        self._places.begin(len(ends) - 1, call(str(place.path)), place.number)
                        known = place.path
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
        """Write down what `reopen` needs."""
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
        """The documents that were kept at `path`; None when there are none, or not all of them."""
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
        # read rather than mapped: pages of a map would count as memory of this process
        number = self._file.fileno()
        return [
            os.pread(number, end - begin, begin).decode("utf-8")
            for begin, end in zip(first, last, strict=True)
        ]

    def place(self, row: int) -> str:
        return self._places.of(row)


class TableDocuments:
    """The text column of a memory-mapped table of the datasets library. What is done to its values is counted
    through `notes` when a row is read for the first time.
    """

    in_order = False

    def __init__(self, rows: Any, column: str, name: str, revision: str | None, notes: Notes) -> None:
        """`column` may lie inside another: "meta.text"."""
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
