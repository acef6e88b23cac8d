"""Write a journal: one process, whole lines, nothing lost when the disk is full for a while."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.journal.lines import FORMAT, Cursor, Kind, Record, encode, file_of, numbers
from workbench.journal.reader import Head, newest_head
from workbench.private import file_mode

MOST_WAITING = 100_000
"""Records that may wait in memory for room on the disk."""


class Writer:
    """The journal of one worker. Several threads may add to it.

    `add` gives a record its place; `flush` writes what waits. A line that the disk took in part is completed
    by the next `flush`, so only the last line of a file can be torn. Where the file is deleted or truncated
    under the worker, what follows is written to a new one.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any], segment: int) -> None:
        """Make a new file, still empty. `run`: what names the run, kept in the head. Raises OSError."""
        self._folder, self._run, self._segment = folder, dict(run), segment
        self._lock = threading.Lock()
        self._waiting: deque[Record] = deque()
        self._torn = 0  # bytes of the first waiting line that are written
        self._given_up = False
        self._file = -1
        self._begin(newest_head(folder))

    @property
    def cursor(self) -> Cursor:
        """The end of what was added, as a reader who has applied all of it would note it."""
        with self._lock:
            return Cursor(self.number, self._identity, self._records, self._whole)

    def add(self, kind: Kind, **values: Any) -> Record:
        """The next record. It is written by `flush`."""
        with self._lock:
            record = {"n": self._records, "kind": str(kind), "at": time.time(), **values}
            self._records += 1
            if not self._given_up:
                self._waiting.append(record)
            return record

    def flush(self, *, sync: bool = False) -> None:
        """Write what waits; with `sync`, also to the disk itself. Raises OSError; the next call tries again.

        When too much waits, it is dropped, and the journal ends where it is.
        """
        with self._lock:
            if self._given_up:
                return
            try:
                if self._was_changed():
                    self._begin(Head(self.number, self._identity, self._records - len(self._waiting)))
                self._write()
                if sync:
                    os.fsync(self._file)
            except OSError:
                if len(self._waiting) > MOST_WAITING:
                    self._given_up = True
                    self._waiting.clear()
                raise

    def touch(self) -> None:
        """Mark the file as changed now, by its file system's clock. Raises OSError."""
        os.utime(self._file)

    def superseded(self) -> bool:
        """Whether another worker has begun a later file. Raises OSError."""
        return max(numbers(self._folder), default=self.number) > self.number

    def close(self) -> None:
        """Close the file. What could not be written by now is left out."""
        with self._lock, contextlib.suppress(OSError):
            os.close(self._file)

    def _begin(self, previous: Head | None) -> None:
        """A new file after `previous`. What waits goes there."""
        number = max([-1, *numbers(self._folder), *([previous.number] if previous else [])]) + 1
        while True:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
            try:
                file = os.open(file_of(self._folder, number), flags, file_mode())
                break
            except FileExistsError:
                number += 1
        if self._file >= 0:
            os.close(self._file)
        self._file, self.number, self._identity = file, number, uuid.uuid4().hex
        head = {
            "n": 0,
            "kind": str(Kind.HEAD),
            "at": time.time(),
            "format": FORMAT,
            "id": self._identity,
            "number": number,
            "segment": self._segment,
            "run": self._run,
            "previous": previous._asdict() if previous else None,
        }
        self._waiting.appendleft(head)
        self._torn = self._whole = 0
        for place, record in enumerate(self._waiting):
            record["n"] = place
        self._records = len(self._waiting)

    def _was_changed(self) -> bool:
        """Whether the file is no longer the one that this process wrote."""
        try:
            there = file_of(self._folder, self.number).stat()
        except FileNotFoundError:
            return True
        own = os.fstat(self._file)
        same = (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino)
        return not same or own.st_size != self._whole + self._torn

    def _write(self) -> None:
        lines = [encode(record) for record in self._waiting]
        data = b"".join(lines)[self._torn :]
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        finally:
            written += self._torn
            for line in lines:
                if written < len(line):
                    break
                written -= len(line)
                self._whole += len(line)
                self._waiting.popleft()
            self._torn = written
