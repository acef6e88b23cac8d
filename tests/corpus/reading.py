"""Local files read as a training would read them, for tests: the texts, and what was told of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.corpus.conftest import Heard
from workbench.corpus.files import LocalFiles
from workbench.corpus.notes import Notes


class Read(NamedTuple):
    """`texts` without those that hold nothing. `notes`: the sentences."""

    texts: list[str]
    notes: list[str]

    def told(self, *words: str) -> bool:
        """Whether one sentence has all these words."""
        return any(all(word in note for word in words) for note in self.notes)


def read(dataset: str | Path, column: str | None = None, unit: str = "auto", encoding: str = "auto") -> Read:
    """Read `dataset` with scratch space beside it."""
    beside = Path(str(dataset).partition("*")[0]).parent
    scratch = beside / ".scratch"
    scratch.mkdir(exist_ok=True)
    heard = Heard()
    notes = Notes(heard)
    files = LocalFiles(str(dataset), column, unit, encoding)
    files.identity(notes)
    documents = files.read(scratch, notes)
    notes.tell_counts()
    found = documents.texts(np.arange(len(documents)))
    return Read([text for text in found if text.strip()], heard.texts)
