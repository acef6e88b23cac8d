"""Files that may be archives: unpacked into a folder of their own for as long as they are read."""

from __future__ import annotations

import contextlib
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any

from workbench.corpus.finding import kind_of_named
from workbench.corpus.notes import Notes
from workbench.corpus.packing import Damaged, unpacked, unreadable
from workbench.errors import CorpusError
from workbench.file_kinds import kind_of, readable, suffixes_of

Member = tuple[str, IO[bytes] | None, str]
"""A name in an archive, what it holds, and why it is skipped."""


class Opened:
    """`paths`: the files, with those in archives in place of the archives. `notes`: to tell of them, by the
    names that they have for the person. A context manager; what it unpacked vanishes with it.
    """

    def __init__(self, paths: Sequence[Path], dataset: str, notes: Notes, folder: Path | None = None) -> None:
        """folder: where to unpack; None: a temporary one."""
        self._all, self._dataset, self._told, self._folder = paths, dataset, notes, folder
        self._places: dict[str, str] = {}
        self.paths: list[Path] = []
        self.notes: Notes = notes

    def __enter__(self) -> Opened:
        archives = [path for path in self._all if kind_of_named(path).shape == "archive"]
        self.paths = [path for path in self._all if path not in archives]
        if not archives:
            return self
        self._root = Path(tempfile.mkdtemp(prefix="unpacked-", dir=self._folder))
        self.notes = _Renamed(self._told, self._places)
        try:
            for number, archive in enumerate(archives):
                place = self._root / str(number)
                place.mkdir()
                self._places[str(place)] = str(archive)
                self.paths += unpack(archive, place, self._told)
            if not self.paths:
                raise CorpusError(f"{self._dataset} holds no files to read.", readable())
        except BaseException:
            shutil.rmtree(self._root, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._places:
            return
        shutil.rmtree(self._root, ignore_errors=True)
        if isinstance(error, CorpusError):
            raise CorpusError(
                _renamed(error.message, self._places), _renamed(error.hint, self._places)
            ) from error


class _Renamed(Notes):
    """Notes that name files in archives as the person does."""

    def __init__(self, notes: Notes, places: dict[str, str]) -> None:
        self._notes, self._places = notes, places
        self.kept, self.counts = notes.kept, notes.counts

    def count(self, what: str, where: str, times: int = 1, level: str = "warning") -> None:
        self._notes.count(_renamed(what, self._places), _renamed(where, self._places), times, level)

    def progress(self, done: int, total: int, unit: str) -> None:
        self._notes.progress(done, total, unit)

    def tell_counts(self) -> None:
        self._notes.tell_counts()

    def _tell(self, level: str, text: str) -> None:
        self._notes._tell(level, _renamed(text, self._places))


def _renamed(text: str, places: dict[str, str]) -> str:
    for place, archive in places.items():
        text = text.replace(place, archive)
    return text


def unpack(archive: Path, place: Path, notes: Notes) -> list[Path]:
    """Write the readable files of an archive into a folder; sorted. The others are counted.

    Raises CorpusError: damaged, or protected by a password.
    """
    found: list[Path] = []
    try:
        with archive.open("rb") as on_disk, contextlib.closing(_members(on_disk, archive)) as members:
            for name, content, why in members:
                parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..", ".")]
                why = why or _why_not(parts)
                if why or content is None:
                    notes.count(f"skipped in {archive}, {why}", f"{archive}/{name}")
                    continue
                target = place.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
                found.append(target)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, Damaged) as error:
        raise CorpusError(
            f"{archive} is damaged, cut short, or no archive.", "Copy or download it again."
        ) from error
    except OSError as error:
        raise unreadable(archive, error) from error
    return sorted(set(found))


def _why_not(parts: Sequence[str]) -> str:
    if any(part.startswith((".", "__MACOSX")) for part in parts):
        return "hidden"
    kind = kind_of(parts[-1]) if parts else None
    if kind is None:
        return f"of a kind that is not read ({suffixes_of(parts[-1])[0] if parts else ''})"
    return "an archive in an archive" if kind.shape == "archive" else ""


def _members(on_disk: IO[bytes], archive: Path) -> Generator[Member, None, None]:
    if suffixes_of(archive)[0] == ".zip":
        yield from _of_zip(on_disk, archive)
        return
    content: Any = unpacked(on_disk, archive)
    with tarfile.open(fileobj=content, mode="r|") as tar:
        for info in tar:
            if info.isdir():
                continue
            why = "" if info.isreg() else "a link or a device"
            yield info.name, tar.extractfile(info) if info.isreg() else None, why


def _of_zip(on_disk: IO[bytes], archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(on_disk) as packed:
        for info in packed.infolist():
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise CorpusError(f"{archive} is protected by a password.", "Unpack it, and give its folder.")
            try:
                with packed.open(info) as content:
                    yield info.filename, content, ""
            except (NotImplementedError, RuntimeError) as error:
                raise CorpusError(
                    f"{archive} is packed in a way that is not read.", "Unpack it, and give its folder."
                ) from error
