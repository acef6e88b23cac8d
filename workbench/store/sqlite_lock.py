"""SQLite's own lock on a database file, taken from outside of SQLite: nobody has the file open meanwhile.

Every connection to a database in WAL mode holds SQLite's shared lock for as long as it is open. Who gets the
exclusive lock on the same bytes (https://www.sqlite.org/lockingv3.html) is alone, and others wait.

When a process closes a file, it loses its locks on it, also those of SQLite. So a file that this process has
open through SQLite is never touched here.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
_guard = threading.Lock()
_open_here: Counter[Path] = Counter()


def opened(file: Path) -> None:
    """This process opens a database through SQLite."""
    with _guard:
        _open_here[file] += 1


def closed(file: Path) -> None:
    """This process has closed it again."""
    with _guard:
        _open_here[file] -= 1


@contextmanager
def alone_with(file: Path) -> Iterator[int | None]:
    """A handle to read the database with, if no process has it open; none can open it until the block ends.
    No other handle on it may be closed there: that would give the lock back.

    None: a process has it open, or it cannot be known. Raises OSError for a file that cannot be opened.
    """
    import fcntl

    with _guard:
        if _open_here[file] > 0:
            yield None
            return
        handle = os.open(file, os.O_RDWR)
        try:
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
            except OSError:
                yield None
                return
            yield handle
        finally:
            os.close(handle)
