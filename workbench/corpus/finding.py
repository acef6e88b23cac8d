"""The files that a path, a folder or a glob leads to, and those in it that are not read, with why."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workbench.corpus.packing import unreadable
from workbench.errors import CorpusError
from workbench.file_kinds import PLAIN, FileKind, kind_of, readable
from workbench.pretrained.locate import existing

_MAGIC = "*?["


@dataclass
class Found:
    """`skipped`: (why, file or folder)."""

    files: list[Path] = field(default_factory=list)
    skipped: list[tuple[str, Path]] = field(default_factory=list)


def find_files(dataset: str) -> Found:
    """The readable files that a path or glob leads to, sorted, absolute. Raises CorpusError when none is."""
    path = existing(dataset)
    if path is not None and not path.is_dir():
        found = Found([path])
    elif path is not None:
        found = files_in(path)
    else:
        found = _matched(dataset)
    try:
        stats = [file.stat() for file in found.files]
    except OSError as error:
        raise unreadable(Path(dataset), error) from error
    if not all(stat.S_ISREG(own.st_mode) for own in stats):
        raise CorpusError(
            f"{dataset} is a pipe, a socket or a device, not a file.",
            "Write what comes from it into a file: a text is read more than once.",
        )
    sizes = [own.st_size for own in stats]
    if not any(sizes):
        raise CorpusError(f"{dataset} is empty.", "Give a file with text in it.")
    return Found(sorted(file.absolute() for file in found.files), found.skipped)


def files_in(folder: Path) -> Found:
    """The readable files in a folder and those below it, links followed; each once. Raises CorpusError when
    there is none.
    """
    found = Found()
    _take(_walk(folder, found), found)
    if not found.files:
        said = "; ".join(f"{path.name}: {why}" for why, path in found.skipped[:3])
        raise CorpusError(
            f"The folder {folder} holds no files to read{f' ({said})' if said else ''}.", readable()
        )
    return found


def kind_of_named(path: Path) -> FileKind:
    """The kind of a file: by its name, or plain text, whatever its name is."""
    return kind_of(path) or PLAIN


def _walk(folder: Path, found: Found) -> Iterator[Path]:
    """Every file below a folder, in order of names. Each folder is looked into once: links make no circle."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            own = here.stat()
            if (own.st_dev, own.st_ino) in seen:
                found.skipped.append(("a link to a folder that is read already", here))
                continue
            seen.add((own.st_dev, own.st_ino))
            with os.scandir(here) as found_here:
                entries = sorted((Path(entry.path), _leads_to_a_folder(entry)) for entry in found_here)
        except OSError as error:
            found.skipped.append((f"a folder that cannot be read ({error.strerror})", here))
            continue
        for entry, is_folder in entries:
            if entry.name.startswith("."):
                found.skipped.append(("hidden", entry))
            elif not is_folder:
                yield entry
        waiting.extend(
            entry for entry, is_folder in reversed(entries) if is_folder and not entry.name.startswith(".")
        )


def _leads_to_a_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or a path that is too long; said when it is looked at as a file
        return False


def _take(files: Iterable[Path], found: Found) -> None:
    """Divide files into those that are read and those that are not."""
    seen: set[tuple[int, int]] = set()
    for file in files:
        try:
            own = file.stat()
        except OSError as error:
            broken = file.is_symlink()
            why = "a link that leads nowhere" if broken else f"it cannot be read ({error.strerror})"
            found.skipped.append((why, file))
            continue
        if not stat.S_ISREG(own.st_mode):
            found.skipped.append(("no file but a pipe, a socket or a device", file))
        elif kind_of(file) is None:
            found.skipped.append((f"of a kind that is not read ({file.suffix.lower()})", file))
        elif not os.access(file, os.R_OK):
            found.skipped.append(("it cannot be read (Permission denied)", file))
        elif (own.st_dev, own.st_ino) in seen:
            found.skipped.append(("the same file under another name", file))
        else:
            seen.add((own.st_dev, own.st_ino))
            found.files.append(file)


def _matched(dataset: str) -> Found:
    """What a glob matches. Beginnings that are there, whatever signs are in them, are taken as they are."""
    pattern = os.path.expanduser(dataset)  # noqa: PTH111 - Path's refuses a user that there is not
    files: list[Path] = []
    for tried in dict.fromkeys((_literal_beginning(pattern), pattern.replace("[", "[[]"))):
        # Path.glob refuses absolute patterns
        matched = map(Path, glob.glob(tried, recursive=True))  # noqa: PTH207
        files = sorted(file for file in matched if not file.is_dir())
        if files:
            break
    if not files:
        hint = "Check the path" + (", or quote a glob." if any(sign in dataset for sign in _MAGIC) else ".")
        raise CorpusError(f"There is no file or folder {dataset}.", hint)
    found = Found()
    _take(files, found)
    if not found.files:
        why, file = found.skipped[0]
        raise CorpusError(f"{dataset} matches no file to read; {file.name}: {why}.", readable())
    return found


def _literal_beginning(pattern: str) -> str:
    """A pattern whose longest beginning that is a folder here matches that folder alone."""
    parts = Path(pattern).parts
    for length in range(len(parts) - 1, 0, -1):
        beginning = Path(*parts[:length])
        if any(sign in str(beginning) for sign in _MAGIC) and beginning.is_dir():
            return str(Path(glob.escape(str(beginning)), *parts[length:]))
    return pattern
