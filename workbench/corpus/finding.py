"""Finds the files of a path, a folder or a glob, and why others are skipped."""

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
class FoundFiles:
    """The readable files, and what is skipped: (why, file or folder)."""

    files: list[Path] = field(default_factory=list)
    skipped: list[tuple[str, Path]] = field(default_factory=list)


def find_files(dataset: str) -> FoundFiles:
    """The readable files of a path or glob, sorted, absolute. Raises CorpusError if there is none."""
    path = existing(dataset)
    if path is not None and not path.is_dir():
        files = FoundFiles([path])
    elif path is not None:
        files = files_in(path)
    else:
        files = _matched(dataset)
    try:
        stats = [file.stat() for file in files.files]
    except OSError as error:
        raise unreadable(Path(dataset), error) from error
    if not all(stat.S_ISREG(own.st_mode) for own in stats):
        raise CorpusError(
            f"{dataset} is a pipe, socket or device, not a file.",
            "Write its content to a file, because a text is read more than once.",
        )
    sizes = [own.st_size for own in stats]
    if not any(sizes):
        raise CorpusError(f"{dataset} is empty.", "Give a file with text in it.")
    return FoundFiles(sorted(file.absolute() for file in files.files), files.skipped)


def files_in(folder: Path) -> FoundFiles:
    """The readable files in a folder and its subfolders, following links; each once. Raises CorpusError if
    there is none.
    """
    files = FoundFiles()
    _sort_out(_walk(folder, files), files)
    if not files.files:
        skipped = "; ".join(f"{path.name}: {why}" for why, path in files.skipped[:3])
        raise CorpusError(
            f"The folder {folder} holds no readable files{f' ({skipped})' if skipped else ''}.", readable()
        )
    return files


def kind_of_named(path: Path) -> FileKind:
    """The kind of a file by its name; plain text if the name is unknown."""
    return kind_of(path) or PLAIN


def _walk(folder: Path, files: FoundFiles) -> Iterator[Path]:
    """Every file below a folder, by name. Each folder is visited once, even if links form a circle."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            own = here.stat()
            if (own.st_dev, own.st_ino) in seen:
                files.skipped.append(("a link to a folder that was read already", here))
                continue
            seen.add((own.st_dev, own.st_ino))
            with os.scandir(here) as listing:
                entries = sorted((Path(entry.path), _leads_to_a_folder(entry)) for entry in listing)
        except OSError as error:
            files.skipped.append((f"an unreadable folder ({error.strerror})", here))
            continue
        for entry, is_folder in entries:
            if entry.name.startswith("."):
                files.skipped.append(("hidden", entry))
            elif not is_folder:
                yield entry
        waiting.extend(
            entry for entry, is_folder in reversed(entries) if is_folder and not entry.name.startswith(".")
        )


def _leads_to_a_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circle of links, or too long a path; reported when it is examined as a file
        return False


def _sort_out(files: Iterable[Path], found: FoundFiles) -> None:
    """Add each file to the readable or the skipped ones."""
    seen: set[tuple[int, int]] = set()
    for file in files:
        try:
            own = file.stat()
        except OSError as error:
            broken = file.is_symlink()
            why = "a broken link" if broken else f"unreadable ({error.strerror})"
            found.skipped.append((why, file))
            continue
        if not stat.S_ISREG(own.st_mode):
            found.skipped.append(("a pipe, socket or device", file))
        elif kind_of(file) is None:
            found.skipped.append((f"unsupported file type ({file.suffix.lower()})", file))
        elif not os.access(file, os.R_OK):
            found.skipped.append(("unreadable (Permission denied)", file))
        elif (own.st_dev, own.st_ino) in seen:
            found.skipped.append(("the same file under another name", file))
        else:
            seen.add((own.st_dev, own.st_ino))
            found.files.append(file)


def _matched(dataset: str) -> FoundFiles:
    """The files that a glob matches. A leading folder that exists is taken literally, whatever its name."""
    pattern = os.path.expanduser(dataset)  # noqa: PTH111 - Path's fails for an unknown user
    files: list[Path] = []
    for candidate in dict.fromkeys((_literal_beginning(pattern), pattern.replace("[", "[[]"))):
        # Path.glob refuses absolute patterns
        matched = map(Path, glob.glob(candidate, recursive=True))  # noqa: PTH207
        files = sorted(file for file in matched if not file.is_dir())
        if files:
            break
    if not files:
        hint = "Check the path" + (", or quote a glob." if any(sign in dataset for sign in _MAGIC) else ".")
        raise CorpusError(f"There is no file or folder {dataset}.", hint)
    found = FoundFiles()
    _sort_out(files, found)
    if not found.files:
        why, file = found.skipped[0]
        raise CorpusError(f"{dataset} matches no readable file ({file.name}: {why}).", readable())
    return found


def _literal_beginning(pattern: str) -> str:
    """The pattern, with its longest beginning that is an existing folder escaped."""
    parts = Path(pattern).parts
    for length in range(len(parts) - 1, 0, -1):
        beginning = Path(*parts[:length])
        if any(sign in str(beginning) for sign in _MAGIC) and beginning.is_dir():
            return str(Path(glob.escape(str(beginning)), *parts[length:]))
    return pattern
