"""Unpacks archives among local files into a temporary folder while they are read."""

from __future__ import annotations

import contextlib
import lzma
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from workbench.corpus.finding import kind_of_named
from workbench.corpus.notes import Notes
from workbench.corpus.packing import Damaged, unpacked, unreadable
from workbench.errors import CorpusError
from workbench.file_kinds import kind_of, readable, suffixes_of

Member = tuple[str, IO[bytes] | None, str]
"""A file in an archive: its name, its content, and why it is skipped ("" if it is read)."""
_LONGEST_NAME = 200  # bytes: file systems hold 255
_TAR_BUFFER = 20 * tarfile.BLOCKSIZE


class Opened:
    """A context manager that unpacks archives, and removes the unpacked files at the end.

    paths: the files, with each archive replaced by its contents. notes: Notes that name unpacked files by
    their archive.
    """

    def __init__(self, paths: Sequence[Path], dataset: str, notes: Notes, folder: Path | None = None) -> None:
        """folder: where to unpack; None for the system's temporary folder."""
        self._all, self._dataset, self._told, self._folder = paths, dataset, notes, folder
        self._places = _Names()
        self.paths: list[Path] = []
        self.notes: Notes = notes

    def __enter__(self) -> Opened:
        archives = [path for path in self._all if kind_of_named(path).shape == "archive"]
        self.paths = [path for path in self._all if path not in archives]
        if not archives:
            return self
        self._root = Path(tempfile.mkdtemp(prefix="unpacked-", dir=self._folder))
        self._places.begin(self._root)
        self.notes = _Renamed(self._told, self._places)
        try:
            for archive in archives:
                self.paths += unpack(archive, self._places, self._told)
            if not self.paths:
                raise CorpusError(f"{self._dataset} holds no files to read.", readable())
        except BaseException:
            shutil.rmtree(self._root, ignore_errors=True)
            raise
        return self

    def named(self, path: str) -> str:
        """The text with the paths of unpacked files replaced by their names in the archive."""
        return self._places.named(path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._places:
            return
        shutil.rmtree(self._root, ignore_errors=True)
        if isinstance(error, CorpusError):
            raise CorpusError(self._places.named(error.message), self._places.named(error.hint)) from error


class _Names:
    """The paths of unpacked files, each in a folder of its own so that equal, long or odd names do no harm,
    and their names in the archives.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._pattern: re.Pattern[str] | None = None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def begin(self, root: Path) -> None:
        self._root = root
        self._pattern = re.compile(re.escape(str(root)) + r"/(\d+)(?=/)")

    def add(self, archive: Path, parts: Sequence[str]) -> Path:
        """A path for a file of an archive; parts: the parts of its name there."""
        folder = self._root / str(len(self._names))
        folder.mkdir()
        self._names.append(str(archive.joinpath(*parts[:-1])))
        short = parts[-1].encode("utf-8", "surrogateescape")[-_LONGEST_NAME:]
        return folder / short.decode("utf-8", "ignore")

    def named(self, text: str) -> str:
        """The text with the paths of unpacked files replaced by their names in the archive."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda path: self._names[int(path[1])], text)


class _Renamed(Notes):
    """Notes in which unpacked files have the path of their archive instead of the temporary one."""

    def __init__(self, notes: Notes, places: _Names) -> None:
        self._notes, self._places = notes, places
        self.kept, self.counts = notes.kept, notes.counts

    def count(self, what: str, where: str, times: int = 1, level: str = "warning") -> None:
        self._notes.count(self._places.named(what), self._places.named(where), times, level)

    def progress(self, done: int, total: int, unit: str) -> None:
        self._notes.progress(done, total, unit)

    def tell_counts(self) -> None:
        self._notes.tell_counts()

    def _tell(self, level: str, text: str) -> None:
        self._notes._tell(level, self._places.named(text))


def unpack(archive: Path, places: _Names, notes: Notes) -> list[Path]:
    """Unpack the readable files of an archive to `places`, and return them by name. Others are counted.

    Raises CorpusError: damaged, or protected by a password.
    """
    files: dict[str, list[Path]] = {}
    try:
        with archive.open("rb") as on_disk, contextlib.closing(_members(on_disk, archive, notes)) as members:
            for name, content, why in members:
                parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..", ".")]
                why = why or _why_not(parts)
                if why or content is None:
                    notes.count(f"skipped in {archive}, {why}", f"{archive}/{name}")
                    continue
                target = places.add(archive, parts)
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
                if name in files:
                    notes.count("files in archives with the name of another, all read", f"{archive}/{name}")
                files.setdefault(name, []).append(target)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, Damaged, zlib.error, lzma.LZMAError) as error:
        raise CorpusError(
            f"{archive} is damaged, truncated, or not an archive.", "Copy or download it again."
        ) from error
    except OSError as error:
        raise unreadable(archive, error) from error
    return [path for name in sorted(files) for path in files[name]]


def _why_not(parts: Sequence[str]) -> str:
    if any(part.startswith((".", "__MACOSX")) for part in parts):
        return "hidden"
    kind = kind_of(parts[-1]) if parts else None
    if kind is None:
        return f"unsupported file type ({suffixes_of(parts[-1])[0] if parts else ''})"
    return "an archive in an archive" if kind.shape == "archive" else ""


def _members(on_disk: IO[bytes], archive: Path, notes: Notes) -> Generator[Member, None, None]:
    if suffixes_of(archive)[0] == ".zip":
        yield from _of_zip(on_disk, archive)
        return
    content = _Watched(unpacked(on_disk, archive))
    with tarfile.open(fileobj=content, mode="r|", bufsize=_TAR_BUFFER) as tar:  # type: ignore[call-overload]
        for info in tar:
            if info.isdir():
                continue
            why = "" if info.isreg() else "a link or a device"
            yield info.name, tar.extractfile(info) if info.isreg() else None, why
        end = content.rest(tar.offset)
    if end is None:
        notes.count("archives without an end mark, which may be truncated", str(archive))
    elif end:
        raise CorpusError(
            f"{archive} is damaged or consists of several archives: it cannot be read beyond byte "
            f"{tar.offset:,}.",
            "Unpack it, and give the folder; or copy or download it again.",
        )


class _Watched:
    """The stream of an archive, which remembers the last bytes read, because tarfile ends silently at damage
    and at a cut between two files.
    """

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._near = b""
        self._count = 0

    def read(self, size: int) -> bytes:
        piece = self._content.read(size)
        self._near = (self._near + piece)[-2 * _TAR_BUFFER :]
        self._count += len(piece)
        return piece

    def rest(self, offset: int) -> bool | None:
        """Whether anything but zeros follows after `offset` bytes; None if nothing does, not even the end
        mark.
        """
        near = self._near[len(self._near) - (self._count - offset) :] if self._count > offset else b""
        empty = not near
        while near and not any(near):
            near = self._content.read(1 << 20)
            empty = False
        return None if empty else bool(near)


def _of_zip(on_disk: IO[bytes], archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(on_disk) as packed:
        for info in packed.infolist():
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise CorpusError(f"{archive} is password-protected.", "Unpack it, and give the folder.")
            try:
                with packed.open(info) as content:
                    yield info.filename, content, ""
            except (NotImplementedError, RuntimeError) as error:
                raise CorpusError(
                    f"{archive} uses an unsupported compression.", "Unpack it, and give the folder."
                ) from error
