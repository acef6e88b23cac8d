"""Lets only one machine at a time use a database file on a network file system.

SQLite relies on the file system's locks, which are not reliable between machines on a network. So a file
beside the database names the machine that uses it; that machine's processes touch it while the database is
open.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import tempfile
import threading
import time
from pathlib import Path

from workbench.errors import StoreError
from workbench.private import file_mode

QUIET_SECONDS = 120.0
"""After this long without a touch, no process of that machine has the database open."""
TOUCH_SECONDS = 20.0
_LONGEST = 4096
_TRIES = 20


class Hold:
    """This machine's hold on a database file, until `release`. Each of its processes may have one."""

    def __init__(self, database: Path, kind: str) -> None:
        """kind: the file system's. Raises StoreError while another machine uses the file."""
        self._note = database.with_name(f"{database.name}.host")
        self._database, self._kind = database, kind
        self.is_first = self._take()
        self._over = threading.Event()
        threading.Thread(target=self._touch_on, daemon=True, name="one-host").start()

    @property
    def notice(self) -> str:
        """The notice for the user."""
        return (
            f"{self._database} is on a network file system ({self._kind}): no WAL, and one "
            f"machine at a time, now {platform.node()}. On a local disk (--db PATH) it is faster."
        )

    def release(self) -> None:
        """Stop touching the file."""
        self._over.set()

    def _take(self) -> bool:
        """Take the hold; returns whether this is the machine's first process with it."""
        for attempt in range(_TRIES):
            holder = self._holder()
            if holder == "" and attempt < _TRIES - 1:  # another process is writing it
                time.sleep(0.1)
                continue
            if holder == platform.node():
                with contextlib.suppress(OSError):
                    os.utime(self._note)
                return False
            if holder is not None:
                self._refuse_while_used(holder)
                with contextlib.suppress(FileNotFoundError):
                    # if several machines find it stale, one succeeds in moving it away
                    self._note.rename(self._note.with_name(f"{self._note.name}.old"))
            if self._write():
                return True
        raise StoreError(f"Other machines take {self._database} at the same moment.", "Try again.")

    def _holder(self) -> str | None:
        try:
            with self._note.open("rb") as file:
                return str(json.loads(file.read(_LONGEST))["host"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return ""

    def _write(self) -> bool:
        try:
            note = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file_mode())
        except FileExistsError:
            return False
        except OSError as error:
            raise StoreError(
                f"{self._note} cannot be written: {error.strerror}.",
                "It names the machine that uses the database: make its folder writable.",
            ) from error
        with os.fdopen(note, "w", encoding="utf-8") as file:
            json.dump({"host": platform.node(), "since": time.time()}, file)
        return True

    def _refuse_while_used(self, holder: str) -> None:
        try:
            quiet = _now_there(self._note.parent) - self._note.stat().st_mtime
        except OSError:
            return
        if quiet < QUIET_SECONDS:
            raise StoreError(
                f"{self._database} is on a network file system ({self._kind}) and in use on {holder or '?'}.",
                f"Work on {holder or 'that machine'}, or close all of mlm-workbench there and wait "
                f"{QUIET_SECONDS:.0f} s. Two machines at once need PostgreSQL (--db postgresql://…).",
            )

    def _touch_on(self) -> None:
        while not self._over.wait(TOUCH_SECONDS):
            with contextlib.suppress(OSError):
                os.utime(self._note)


def _now_there(folder: Path) -> float:
    """The time by the clock of the folder's file system."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"?")
        file.flush()
        return os.fstat(file.fileno()).st_mtime
