"""Local text: a file, a folder or a glob of .txt, .jsonl, .csv, .parquet or .arrow files, packed or not."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.corpus import readers
from workbench.corpus.columns import choose_column
from workbench.corpus.documents import SPOOL, Documents, SpooledDocuments
from workbench.corpus.intake import Intake, kind_of, unreadable
from workbench.corpus.notes import Notes
from workbench.corpus.plain import PlainText
from workbench.corpus.values import text_of
from workbench.errors import CorpusError
from workbench.pretrained.locate import existing

TEXT = ".txt"
KINDS = (TEXT, *readers.TABLES)
_READABLE = "Readable are .txt, .jsonl, .csv, .tsv, .parquet and .arrow, and .gz and .zst of these."


class LocalFiles:
    """Files of one kind. What a document is in .txt files is said by `unit`, as the recipe has it."""

    def __init__(self, dataset: str, text_column: str | None, unit: str = "auto") -> None:
        """`dataset` is a path or a glob. Raises CorpusError when it leads to no readable file."""
        self.paths = find_files(dataset)
        self.text_column, self.unit = text_column, unit
        kinds = sorted({kind_of(path) for path in self.paths})
        if len(kinds) > 1:
            raise CorpusError(
                f"{dataset} holds files of several kinds: {', '.join(kinds)}.",
                f"Choose one kind with a glob, such as '{Path(dataset) / ('*' + kinds[0])}'.",
            )
        self.kind = kinds[0]

    def identity(self, notes: Notes) -> Mapping[str, Any]:
        stats = [(str(path), path.stat()) for path in self.paths]
        return {
            "source": "files",
            "column": None if self.kind == TEXT else self.text_column,
            "unit": self.unit if self.kind == TEXT else None,
            "files": [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats],
        }

    def read(self, folder: Path, notes: Notes) -> Documents:
        spool = folder / SPOOL
        intake = Intake(notes, sum(path.stat().st_size for path in self.paths))
        if self.kind == TEXT:
            plain = PlainText(self.paths, self.unit, intake)
            documents = SpooledDocuments(spool, plain.texts(), None)
            if len(self.paths) == 1 or self.unit != "auto":
                notes.info(plain.described(len(documents)))
        else:
            column = self._column(notes)
            documents = SpooledDocuments(spool, self._column_texts(column, intake), column)
        if len(documents) == 0:
            raise CorpusError(f"{self._where()} holds no rows.", "Give a file with text in it.")
        return documents

    def beginning(self, notes: Notes) -> Iterator[str | None]:
        """The documents in order, each read when it is asked for, so that a few cost little."""
        intake = Intake(notes)
        if self.kind == TEXT:
            return PlainText(self.paths, self.unit, intake).texts()
        return self._column_texts(self._column(notes), intake)

    def _where(self) -> str:
        return (
            str(self.paths[0]) if len(self.paths) == 1 else f"{self.paths[0]} and {len(self.paths) - 1} more"
        )

    def _column(self, notes: Notes) -> str:
        """The text column, which every file must have."""
        looking = Intake(Notes(lambda event: None))  # what is odd is said when the file is read
        reader, first = readers.TABLES[self.kind], self.paths[0]
        columns = reader.columns(looking, first)
        if not columns:
            raise CorpusError(f"{first} holds no rows.", "Give a file with text in it.")
        sample = readers.sample(reader, looking, first, columns)
        if not any(sample.values()):
            raise CorpusError(f"{first} holds no rows.", "Give a file with text in it.")
        chosen = choose_column(self.text_column, columns, sample, str(first), notes)
        for path in self.paths[1:]:
            choose_column(chosen, reader.columns(looking, path), {}, str(path), notes)
        return chosen

    def _column_texts(self, column: str, intake: Intake) -> Iterator[str | None]:
        for path in self.paths:
            for row in readers.TABLES[self.kind].rows(intake, path, column):
                yield text_of(row.get(column), column, str(path))


def is_local(dataset: str) -> bool:
    """Whether a data set's name means files here rather than a data set on the hub."""
    return (
        kind_of(Path(dataset)) in KINDS
        or dataset.startswith(("/", ".", "~"))
        or any(sign in dataset for sign in "*?[")
        or dataset.count("/") > 1
        or existing(dataset) is not None
    )


def find_files(dataset: str) -> list[Path]:
    """The readable files that a path or glob leads to, sorted, absolute.

    Raises CorpusError when there are none, or one of a kind that cannot be read.
    """
    try:
        found = _candidates(dataset)
        sizes = [file.stat().st_size for file in found]
    except OSError as error:
        raise unreadable(Path(dataset), error) from error
    for file in found:
        if kind_of(file) not in KINDS:
            raise CorpusError(f"{file} is not a kind of file that can be read.", _READABLE)
    if not any(sizes):
        raise CorpusError(f"{dataset} is empty.", "Give a file with text in it.")
    return sorted(file.absolute() for file in found)


def _candidates(dataset: str) -> list[Path]:
    """The files under a folder that can be read, a file itself, or what a glob matches; never none."""
    path = existing(dataset)
    if path is not None and path.is_dir():
        inside = (file for file in path.rglob("*") if not _is_hidden(file.relative_to(path)))
        found = [file for file in inside if kind_of(file) in KINDS and file.is_file()]
        if not found:
            raise CorpusError(f"The folder {dataset} holds no files to read.", _READABLE)
        return found
    if path is not None:
        return [path]
    pattern = os.path.expanduser(dataset)  # noqa: PTH111 - Path's refuses a user that there is not
    # and Path.glob refuses absolute patterns
    found = [file for file in map(Path, glob.glob(pattern, recursive=True)) if file.is_file()]  # noqa: PTH207
    if not found:
        raise CorpusError(f"There is no file or folder {dataset}.", "Check the path, or quote a glob.")
    return found


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
