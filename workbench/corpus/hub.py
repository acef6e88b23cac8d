"""Reads data sets of the Hugging Face hub with the datasets library. A data set's own code is never run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from workbench.corpus.columns import choose_column
from workbench.corpus.documents import SPOOL, Documents, SpooledDocuments, TableDocuments
from workbench.corpus.notes import Notes
from workbench.corpus.tables import SAMPLE_ROWS, first_values
from workbench.corpus.values import outer_column, text_of, value_at
from workbench.errors import CorpusError, WorkbenchError
from workbench.pretrained.download import Interrupted, fetch
from workbench.pretrained.hub import explain_hub_error, hub_is_reachable, require_hub

CONVERTED = "refs/convert/parquet"
"""The branch where the hub itself converts data sets to Parquet, including those that are scripts."""

_KIND = "data set"
_HUB_ID = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?")
_TIMEOUT_SECONDS = 10.0
_TELL_EVERY = 1_000  # rows


class Streamed(NamedTuple):
    """The first `rows` of a data set after datasets' `IterableDataset.shuffle` with `seed`, which shuffles
    the order of the files, and the rows within a window of WINDOW.
    """

    rows: int
    seed: int


WINDOW = 10_000
"""The shuffle window in rows; no more are held in memory."""


class HubDataset:
    """One split of a data set on the hub, or of its copy in the local cache if there is no network."""

    def __init__(
        self,
        name: str,
        *,
        subset: str | None,
        split: str,
        revision: str | None,
        text_column: str | None,
        memory: Path,
        streamed: Streamed | None = None,
    ) -> None:
        """memory: a file with the commit last seen for each name, for use without a network. streamed: which
        rows to fetch; None for the whole data set.
        """
        if not _HUB_ID.fullmatch(name):
            raise CorpusError(
                f"{name!r} is neither a local file or folder nor a valid hub id.",
                "Give a hub id such as EdinburghNLP/xsum, a local file, or python-docs.",
            )
        self.name, self.subset, self.split, self.text_column = name, subset, split, text_column
        self.revision = revision
        self.commit: str | None = None
        self._memory = memory
        self._streamed = streamed

    def identity(self, notes: Notes) -> Mapping[str, Any]:
        self.commit = self._current_commit() if hub_is_reachable() else self._last_commit(notes)
        if (
            self.commit is None
        ):  # never prepared here, but the library may hold a copy with its own fingerprint
            return {**self._request(), "copy": str(self._load(notes)._fingerprint)}
        return {**self._request(), "commit": self.commit}

    def read(self, folder: Path, notes: Notes) -> Documents:
        if self._streamed is not None:
            return self._stream(self._streamed, folder, notes)
        rows = self._load(notes)
        column = choose_column(self.text_column, rows.column_names, first_values(rows), self.name, notes)
        if self.commit is not None and hub_is_reachable():
            self._remember(self.commit)
        return TableDocuments(rows, column, self.name, self.commit, notes)

    def _stream(self, streamed: Streamed, folder: Path, notes: Notes) -> Documents:
        """The requested number of rows, in the order in which the split takes them."""
        require_hub(self.name, _KIND)
        import datasets

        try:
            stream = datasets.load_dataset(
                self.name,
                self.subset,
                split=self.split,
                revision=self.commit or self.revision,
                streaming=True,
            )
            first = list(stream.take(SAMPLE_ROWS))
            columns = list(first[0]) if first else []
            sample = {name: [row.get(name) for row in first] for name in columns}
            column = choose_column(self.text_column, columns, sample, self.name, notes)
            outer = outer_column(column, columns) or column
            shuffled = stream.select_columns([outer]).shuffle(seed=streamed.seed, buffer_size=WINDOW)

            def text(row: dict[str, Any], number: int) -> str | None:
                place = f"{self.name}, row {number:,} of the stream"
                value = row[outer] if outer == column else value_at(row, column)
                return text_of(value, column, place, lambda what: notes.count(what, place))

            def texts() -> Iterator[str | None]:
                for number, row in enumerate(shuffled.take(streamed.rows), start=1):
                    yield text(row, number)
                    if number % _TELL_EVERY == 0:
                        _report(notes, number, streamed.rows)

            documents = SpooledDocuments(folder / SPOOL, texts(), column, self.commit, in_order=True)
        except WorkbenchError:
            raise
        except ValueError as error:  # an unknown subset or split; the library lists the existing ones
            raise _not_there(self.name, error) from error
        except Interrupted as stop:
            raise stop.reason from None
        except Exception as error:
            raise explain_hub_error(error, self.name, _KIND) from error
        notes.info(f"{self.name}: streamed {len(documents):,} rows, shuffled within a window of {WINDOW:,}.")
        return documents

    def _request(self) -> dict[str, Any]:
        return {
            **({"streamed": [*self._streamed, WINDOW]} if self._streamed else {}),
            "source": "hub",
            "name": self.name,
            "subset": self.subset,
            "split": self.split,
            "revision": self.revision,
            "column": self.text_column,
        }

    def _current_commit(self) -> str | None:
        """The hub's current commit of the data set."""
        from huggingface_hub import HfApi

        require_hub(self.name, _KIND)
        try:
            info = HfApi().dataset_info(self.name, revision=self.revision, timeout=_TIMEOUT_SECONDS)
        except Exception as error:  # the client and its transport raise many kinds of errors
            raise explain_hub_error(error, self.name, _KIND) from error
        return info.sha

    def _last_commit(self, notes: Notes) -> str | None:
        commit = self._remembered().get(self._memory_key())
        if commit is not None:
            notes.warning(
                f"The hub cannot be reached: {self.name} is used as last seen, at commit {commit[:10]}."
            )
        return commit

    def _load(self, notes: Notes) -> Any:
        """The split, memory-mapped by the datasets library."""
        require_hub(self.name, _KIND)
        import datasets

        datasets.disable_progress_bars()
        try:
            try:
                return self._load_revision(self.commit or self.revision, notes)
            except RuntimeError as error:
                if "script" not in str(error).lower() or self.revision is not None:
                    raise
                notes.info(f"{self.name} is a script, which is never run: the hub's Parquet copy is read.")
                return self._load_revision(CONVERTED, notes)
        except WorkbenchError:
            raise
        except Interrupted as stop:
            raise stop.reason from None
        except ValueError as error:  # an unknown subset or split; the library lists the existing ones
            raise _not_there(self.name, error) from error
        except Exception as error:
            raise explain_hub_error(error, self.name, _KIND) from error

    def _load_revision(self, revision: str | None, notes: Notes) -> Any:
        import datasets

        if hub_is_reachable():
            self._fetch(revision, notes)
        return datasets.load_dataset(self.name, self.subset, split=self.split, revision=revision)

    def _fetch(self, revision: str | None, notes: Notes) -> None:
        """Fetch the files of this subset into the local cache, where the library finds them."""
        import datasets

        builder = datasets.load_dataset_builder(self.name, self.subset, revision=revision)
        listed = (getattr(builder.config, "data_files", None) or {}).values()
        address = re.compile(rf"hf://datasets/{re.escape(self.name)}@([^/]+)/(.+)")
        matches = [address.fullmatch(str(file)) for files in listed for file in files]
        hub_files = [(unquote(match[1]), match[2]) for match in matches if match]
        if hub_files:
            fetch(
                self.name,
                [path for _, path in hub_files],
                kind="dataset",
                commit=hub_files[0][0],
                told=lambda done, total: notes.progress(done, total, "bytes"),
            )

    def _memory_key(self) -> str:
        return f"{self.name}@{self.revision or ''}"

    def _remembered(self) -> dict[str, str]:
        try:
            commits = json.loads(self._memory.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return commits if isinstance(commits, dict) else {}

    def _remember(self, commit: str) -> None:
        entries = {**self._remembered(), self._memory_key(): commit}
        part = self._memory.with_suffix(".part")
        part.write_text(json.dumps(entries, indent=1), encoding="utf-8")
        part.replace(self._memory)


def _report(notes: Notes, done: int, total: int) -> None:
    """Report the progress of a stream. The listener's exceptions are marked, so that they do not count as the
    hub's errors.
    """
    try:
        notes.progress(done, total, "rows")
    except BaseException as reason:
        raise Interrupted(reason) from reason


def _not_there(name: str, error: ValueError) -> CorpusError:
    return CorpusError(
        f"The data set {name} cannot be read: {' '.join(str(error).split())[:400]}",
        "Set dataset_subset and dataset_split to existing ones.",
    )
