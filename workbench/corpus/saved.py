"""Reads a data set that the datasets library's `save_to_disk` wrote to a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.corpus.columns import choose_column
from workbench.corpus.documents import Documents, TableDocuments
from workbench.corpus.notes import Notes
from workbench.corpus.tables import first_values
from workbench.errors import CorpusError
from workbench.pretrained.locate import existing

_ONE, _SEVERAL = "state.json", "dataset_dict.json"


def is_saved(dataset: str) -> bool:
    """Whether a name is such a folder."""
    path = existing(dataset)
    return path is not None and any((path / name).is_file() for name in (_ONE, _SEVERAL))


class SavedDataset:
    """The data set in such a folder, or one split of it if it has several."""

    def __init__(self, dataset: str, split: str, text_column: str | None) -> None:
        self._folder = Path(dataset).expanduser().absolute()
        self._several = (self._folder / _SEVERAL).is_file()
        self._split, self._text_column = split, text_column

    def identity(self, notes: Notes) -> Mapping[str, Any]:
        files = sorted(path for path in self._folder.rglob("*") if path.is_file())
        stats = [(str(path), path.stat()) for path in files]
        return {
            "source": "saved",
            "split": self._split if self._several else None,
            "column": self._text_column,
            "files": [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats],
        }

    def read(self, folder: Path, notes: Notes) -> Documents:
        import datasets

        try:
            rows = datasets.load_from_disk(str(self._folder))
        except Exception as error:  # an invalid folder can raise anything in the library
            raise CorpusError(
                f"{self._folder} cannot be loaded as a data set: its files are damaged or incomplete.",
                "Copy it again, or save it again with save_to_disk.",
            ) from error
        if self._several:
            if self._split not in rows:
                raise CorpusError(
                    f"{self._folder} has no split {self._split!r}. Splits: {', '.join(rows)}.",
                    "Set dataset_split to one of them.",
                )
            rows = rows[self._split]
        if len(rows) == 0:
            raise CorpusError(f"{self._folder} holds no rows.", "Give a data set with text in it.")
        first = first_values(rows)
        column = choose_column(self._text_column, rows.column_names, first, str(self._folder), notes)
        return TableDocuments(rows, column, str(self._folder), None, notes)
