"""The channel through which a worker reports: its run's journal, and a store."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.journal.lines import Cursor, Kind, Record
from workbench.journal.writer import Writer
from workbench.store import Run, Store

log = logging.getLogger(__name__)


class Channel:
    """Collects records of a run, and saves them. Thread-safe.

    `save` writes the records to the journal and applies them to the store in one transaction. Either the
    store is the user's own: then a journal that cannot be written delays nothing. Or, in a job, it is a
    scratch store, and only the journal leaves the machine (`journal_first`): then `save` fails until the
    journal is written.
    """

    def __init__(
        self, store: Store, run: Run, *, journal_first: bool = False, progress_seconds: float = 0.0
    ) -> None:
        """`progress_seconds`: how often progress is written in a job, at most."""
        self._store, self._run = store, run
        self.folder = Path(run.folder)
        self._journal_first, self._progress_seconds = journal_first, progress_seconds
        self._lock = threading.RLock()
        self._notes: list[Record] = []
        self._journal: Writer | None = None
        self._cursor = Cursor()
        self._progress_at = 0.0
        self._complained = self._moved = False

    def open(self, segment: int) -> None:
        """Start a file of the journal. Raises StoreError."""
        run = self._run
        names = {"id": run.id, "name": run.name, "created_at": run.created_at}
        try:
            self._journal = Writer(self.folder, names, segment)
        except OSError as error:
            self._complain(error)
            return
        self._cursor = self._journal.cursor
        self._store.journals.begin(run.id, self._cursor)

    def note(self, kind: Kind, **values: Any) -> None:
        """Add a record, which `save` writes."""
        with self._lock:
            if self._journal is not None:
                self._notes.append(self._journal.add(kind, **values))
            else:
                self._notes.append({"n": 0, "kind": str(kind), "at": time.time(), **values})

    def save(self, *, sync: bool = False) -> None:
        """Write the records; with `sync`, they survive a crash of the machine.

        Raises StoreError when that fails. The records are kept: call it again.
        """
        with self._lock:
            if self._journal is not None:
                try:
                    self._journal.flush(sync=sync)
                except OSError as error:
                    self._complain(error)
            if self._notes:
                self._apply()

    def progress(self, columns: dict[str, Any]) -> None:
        """Write a phase's progress, which is not kept in the journal's history. Raises StoreError."""
        if not self._journal_first:
            self._store.update_run(self._run.id, **columns)
            return
        now = time.monotonic()
        if now - self._progress_at >= self._progress_seconds:
            self._progress_at = now
            self.note(Kind.COLUMNS, values=columns)
            self.save()

    def beat(self) -> None:
        """Touch the journal as a heartbeat. Raises OSError."""
        if self._journal is not None:
            self._journal.flush(sync=True)
            self._journal.touch()

    def superseded(self) -> bool:
        """Whether another process has resumed the run. Raises OSError."""
        return self._journal is not None and self._journal.superseded()

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def within(self, path: Path) -> str:
        """A path in the run's folder, relative to it, as records name it."""
        return path.absolute().relative_to(self.folder.absolute()).as_posix()

    def _apply(self) -> None:
        journals, run_id = self._store.journals, self._run.id
        if self._journal is None:
            journals.apply_unjournaled(run_id, self._notes)
            self._notes = []
            return
        after = self._journal.cursor
        while self._notes and not journals.apply(run_id, self._cursor, self._notes, after):
            there = journals.cursor(run_id)
            # a process that marked this worker as crashed may have read its journal
            ahead = there.records - self._cursor.records
            if (there.number, there.identity) != (self._cursor.number, self._cursor.identity) or ahead <= 0:
                self._leave()
                break
            self._notes = self._notes[ahead:]
            self._cursor = there
        self._notes = []
        self._cursor = after

    def _leave(self) -> None:
        if not self._moved:
            log.warning("Another process has resumed the run: reports of this one are discarded.")
        self._moved = True

    def _complain(self, error: OSError) -> None:
        message = f"The journal in {self.folder} cannot be written: {error.strerror}."
        if self._journal_first:
            raise StoreError(message, "Make room there, or change its permissions.") from error
        if not self._complained:
            log.warning("%s The run is recorded in the database alone meanwhile.", message)
        self._complained = True
