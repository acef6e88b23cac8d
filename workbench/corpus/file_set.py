"""A set of files that can be read together: all texts, or all tables of one kind."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.corpus.finding import kind_of_named
from workbench.corpus.tables import Table, reader_of
from workbench.errors import CorpusError
from workbench.file_kinds import suffixes_of


@dataclass(frozen=True)
class FileSet:
    """table: how to read the files if they are tables. skipped: (why, file)."""

    paths: list[Path]
    table: Table | None
    skipped: list[tuple[str, Path]]


def of_one_shape(paths: Sequence[Path], dataset: str) -> FileSet:
    """The files as one set. Raises CorpusError for a mix of texts and tables, or of several kinds of tables.

    Next to tables, plain text by another name, such as README.md or source code, is skipped.
    """
    kinds = {path: kind_of_named(path) for path in paths}
    skipped: list[tuple[str, Path]] = []
    if any(kind.shape == "table" for kind in kinds.values()):
        skipped = [("not a table like the others", path) for path in paths if kinds[path].other_name]
    left_out = {path for _, path in skipped}
    rest = [path for path in paths if path not in left_out]
    tables = {kinds[path].reader for path in rest if kinds[path].shape == "table"}
    mixed = bool(tables) and any(kinds[path].shape != "table" for path in rest)
    if mixed or len(tables) > 1:
        ends = sorted({suffixes_of(path)[0] for path in rest})
        root = Path(glob.escape(dataset)) if Path(dataset).is_dir() else Path(dataset).parent
        raise CorpusError(
            f"{dataset} holds files of several kinds: {', '.join(ends)}.",
            f"Select one kind with a glob, such as '{root / ('*' + ends[0])}'.",
        )
    table = reader_of(kinds[rest[0]]) if tables else None
    return FileSet(rest, table, skipped)
