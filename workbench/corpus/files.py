"""Local text: a file, a folder or a glob, of the file kinds in workbench.file_kinds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.corpus.archives import Opened
from workbench.corpus.documents import SPOOL, Documents, SpooledDocuments
from workbench.corpus.file_set import FileSet, of_one_shape
from workbench.corpus.finding import find_files, kind_of_named
from workbench.corpus.intake import Intake
from workbench.corpus.notes import Notes
from workbench.corpus.packing import unreadable
from workbench.corpus.plain import PlainText
from workbench.corpus.table_files import TableFiles
from workbench.errors import CorpusError
from workbench.file_kinds import names_text
from workbench.pretrained.locate import existing
from workbench.recipe import AUTO_ENCODING


class LocalFiles:
    """A source of local texts or of tables of one kind."""

    def __init__(
        self, dataset: str, text_column: str | None, unit: str = "auto", encoding: str = AUTO_ENCODING
    ) -> None:
        """dataset: a path or a glob. unit: what a document is in texts (the recipe's `documents`). encoding:
        for plain text, CSV and JSON. Raises CorpusError if there is no readable file.
        """
        selection = find_files(dataset)
        self._dataset, self._skipped = dataset, selection.skipped
        self.paths = selection.files
        self.text_column, self.unit, self.encoding = text_column, unit, encoding
        self._archived = any(kind_of_named(path).shape == "archive" for path in self.paths)
        self._set = None if self._archived else of_one_shape(self.paths, dataset)
        if self._set is not None:
            self.paths = self._set.paths
            self._skipped = [*self._skipped, *self._set.skipped]

    def identity(self, notes: Notes) -> Mapping[str, Any]:
        for why, path in self._skipped:
            notes.count(f"skipped in {self._dataset}, {why}", str(path))
        notes.tell_counts()
        try:
            stats = [(str(path), path.stat()) for path in self.paths]
        except OSError as error:
            raise unreadable(Path(self._dataset), error) from error
        tables = self._set is None or self._set.table is not None
        texts = self._set is None or self._set.table is None
        return {
            "source": "files",
            "column": self.text_column if tables else None,
            "unit": self.unit if texts else None,
            "encoding": self.encoding,
            "files": [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats],
        }

    def read(self, folder: Path, notes: Notes) -> Documents:
        with Opened(self.paths, self._dataset, notes, folder) as opened:
            files = self._set or self._of_archives(opened)
            size = sum(path.stat().st_size for path in files.paths)
            intake = Intake(opened.notes, size, self.encoding)
            root = os.path.commonpath([path.parent for path in self.paths])
            documents = self._spooled(
                files, folder / SPOOL, intake, lambda path: opened.named(path).removeprefix(f"{root}/")
            )
        if len(documents) == 0:
            raise CorpusError(f"{self._where()} holds no rows.", "Give a file with text in it.")
        return documents

    def beginning(self, notes: Notes) -> Iterator[str | None]:
        """The documents in order, read lazily, so that the first few cost little."""
        with Opened(self.paths, self._dataset, notes) as opened:
            files = self._set or self._of_archives(opened)
            intake = Intake(opened.notes, encoding=self.encoding)
            if files.table is None:
                yield from PlainText(files.paths, self.unit, intake).texts()
            else:
                yield from TableFiles(files.paths, files.table, self.text_column, intake).texts()

    def _of_archives(self, opened: Opened) -> FileSet:
        files = of_one_shape(opened.paths, self._dataset)
        for why, path in files.skipped:
            opened.notes.count(f"skipped in {self._dataset}, {why}", str(path))
        return files

    def _spooled(
        self, files: FileSet, spool: Path, intake: Intake, file_name: Callable[[str], str]
    ) -> SpooledDocuments:
        if files.table is None:
            plain = PlainText(files.paths, self.unit, intake)
            documents = SpooledDocuments(spool, plain.texts(), None, place=plain.place, file_name=file_name)
            if len(files.paths) == 1 or self.unit != "auto":
                intake.notes.info(plain.described(len(documents)))
            return documents
        rows = TableFiles(files.paths, files.table, self.text_column, intake)
        return SpooledDocuments(
            spool, rows.texts(), rows.column, replaced=rows.replaced, place=rows.place, file_name=file_name
        )

    def _where(self) -> str:
        return (
            str(self.paths[0]) if len(self.paths) == 1 else f"{self.paths[0]} and {len(self.paths) - 1} more"
        )


def is_local(dataset: str) -> bool:
    """Whether a data set's name means local files instead of a data set on the hub."""
    return (
        names_text(dataset)
        or dataset.startswith(("/", ".", "~"))
        or any(sign in dataset for sign in "*?[")
        or dataset.count("/") > 1
        or existing(dataset) is not None
    )
