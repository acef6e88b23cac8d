"""A cache folder of prepared texts, each in a subfolder that appears atomically.

No process waits for another: if two prepare the same text at once, both do the work and the first to finish
wins. The next process continues unfinished work.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

from workbench.errors import CorpusError
from workbench.private import make_folder, make_private

FACTS = "facts.json"
SCRATCH = "scratch"
"""Temporary files in an unfinished entry, removed before the entry appears."""
JOURNAL = "journal.json"
_PART, _LOCK = ".part-", ".lock-"
_ABANDONED_AFTER = 7 * 24 * 3600.0  # seconds after which an unfinished folder is removed


def key_of(parts: Mapping[str, Any]) -> str:
    """A hash of these JSON values as 32 hexadecimal digits."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def read_facts(folder: Path) -> dict[str, Any] | None:
    """The facts file of a prepared text; None if it is missing or invalid."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def entries(cache: Path) -> list[Path]:
    """The folders of prepared texts in a cache."""
    return sorted(path.parent for path in cache.glob(f"[0-9a-f]*/{FACTS}"))


def write_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    (folder / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")


@contextmanager
def new_entry(cache: Path, key: str) -> Iterator[Path]:
    """A folder to write in, which is renamed to `cache/key` at the end.

    On an error it is removed, unless it holds SCRATCH/JOURNAL, which records the progress: then the next call
    with the same key gets the folder as it is. Raises CorpusError if the disk cannot be written.
    """
    part, lock = cache / f"{_PART}{key}", None
    try:
        make_folder(cache)
        _sweep(cache)
        lock = _take(cache / f"{_LOCK}{key}")
        if lock is None:  # another process is preparing this text
            part = cache / f"{_PART}{token_hex(8)}"
        make_folder(part / SCRATCH)
        os.utime(part)
        yield part
        shutil.rmtree(part / SCRATCH, ignore_errors=True)
        make_private(part)
        for path in part.iterdir():
            _sync(path)
        _sync(part)
        try:
            part.rename(cache / key)
        except OSError:
            if read_facts(cache / key) is None:  # otherwise another process finished the same text first
                raise
        _sync(cache)
    except OSError as error:
        raise CorpusError(
            f"The prepared text cannot be written to {cache}: {error.strerror or error}.",
            "Free some space there, or use a writable cache folder.",
        ) from error
    finally:
        if not (lock and (part / SCRATCH / JOURNAL).exists()):
            shutil.rmtree(part, ignore_errors=True)
        if lock is not None:
            Path(lock.name).unlink(missing_ok=True)
            lock.close()


def _take(path: Path) -> IO[bytes] | None:
    """A file locked by this process until it is closed; None if another process has the lock."""
    try:
        import fcntl
    except ImportError:
        return None
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:  # else its owner has just removed it
            return lock
    except OSError:  # locked, removed, or a file system without locks
        pass
    lock.close()
    return None


def discard(folder: Path) -> None:
    """Remove a damaged entry. It is renamed first, so that no process sees half of it."""
    aside = folder.with_name(f"{_PART}{folder.name}-{os.getpid()}")
    with contextlib.suppress(OSError):
        folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _sweep(cache: Path) -> None:
    """Remove the unfinished folders of processes that died long ago."""
    for path in [*cache.glob(f"{_PART}*"), *cache.glob(f"{_LOCK}*")]:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    if os.name == "nt" and path.is_dir():  # Windows cannot open a folder
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
