"""A data set that `save_to_disk` of the datasets library wrote into a folder."""

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
    """Whether a name leads to such a folder."""
    path = existing(dataset)
    return path is not None and any((path / name).is_file() for name in (_ONE, _SEVERAL))


class SavedDataset:
    """Such a folder, or one split of it where it holds several."""

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
            found = datasets.load_from_disk(str(self._folder))
        except Exception as error:  # a folder that holds anything fails in any of the library's ways
            raise CorpusError(
                f"{self._folder} cannot be loaded as a data set: its files are damaged, or not all there.",
                "Copy it again, or save it again with save_to_disk.",
            ) from error
        if self._several:
            if self._split not in found:
                raise CorpusError(
                    f"{self._folder} has no split {self._split!r}: it has {', '.join(found)}.",
                    "Set dataset_split to one of them.",
                )
            found = found[self._split]
        if len(found) == 0:
            raise CorpusError(f"{self._folder} holds no rows.", "Give a data set with text in it.")
        first = first_values(found)
        column = choose_column(self._text_column, found.column_names, first, str(self._folder), notes)
        return TableDocuments(found, column, str(self._folder), None, notes)
