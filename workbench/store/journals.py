"""Reads runs' journals into the store, every record once."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from workbench.journal.lines import Cursor, Record
from workbench.journal.reader import JournalError, read_on, skip_to_next
from workbench.status import Status
from workbench.store.database import Queries, retried
from workbench.store.records import apply_records
from workbench.store.tables import JournalRow, Run
from workbench.stored_recipe import StoredRecipe

log = logging.getLogger(__name__)

LATE_SECONDS = 600.0
"""Records that are missing or damaged may come for so long; then the next worker's file is read."""


class Journals(Queries):
    """Queries on the table `journal`, and the transfer of journals into the other tables; `store.journals`.

    The cursor moves in the transaction that applies what was read, and only from where it was: whatever is
    killed at whatever moment, and however many processes read at once, a record is applied once.
    """

    def cursor(self, run_id: int) -> Cursor:
        """How far the run's journal has been read."""
        with self.database.session() as session:
            return _cursor(_row(session, run_id))

    def trouble(self, run_id: int) -> str | None:
        """Why the run's journal cannot be read further; None if it can."""
        with self.database.session() as session:
            row = _row(session, run_id)
            return row.trouble if row is not None else None

    @retried
    def apply(
        self,
        run_id: int,
        before: Cursor,
        records: Sequence[Record],
        after: Cursor,
        *,
        statuses: bool = True,
    ) -> bool:
        """Apply records, and move the cursor from `before` to `after`. `statuses`: see `apply_records`.

        False, and nothing is changed, when the cursor is elsewhere: another process was first. Raises
        JournalError for a record that means nothing to this version, StoreError for the database's errors.
        """
        with self.database.session() as session:
            if not self._move(session, run_id, before, after):
                session.rollback()
                return False
            try:
                apply_records(session, run_id, records, statuses=statuses)
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                session.rollback()
                raise JournalError(
                    f"The journal of run {run_id} has a record that cannot be read: {error!r}."
                ) from error
            session.commit()
            return True

    def adopt(
        self,
        described: Mapping[str, Any],
        folder: Path,
        run_id: int | None = None,
        name: str | None = None,
        status: str = Status.QUEUED,
    ) -> int:
        """Add a run that its folder describes (see `journal.described`). Returns its id.

        run_id: what the id is to be. Raises StoreError.
        """
        with self.database.session() as session:
            run = Run(
                name=name or described["name"],
                status=status,
                recipe=StoredRecipe(described["recipe"]),
                tags=[str(tag) for tag in described["tags"]],
                note=str(described.get("note") or ""),
                created_at=float(described["created_at"]),
                environment=described["environment"],
                folder=str(folder),
                segment=described["segment"],
                started_at=described.get("started_at"),
            )
            if run_id is not None:
                run.id = run_id
            session.add(run)
            session.commit()
            return run.id

    def begin(self, run_id: int, cursor: Cursor) -> None:
        """Set the cursor, wherever it was: a worker starts a new file."""
        values = _columns(cursor) | {"trouble": None, "trouble_since": None}
        with self.database.session() as session:
            _make_row(session, run_id)
            session.connection().execute(_of(run_id).values(**values))
            session.commit()

    def apply_unjournaled(self, run_id: int, records: Sequence[Record]) -> None:
        """Apply records that no journal could take."""
        with self.database.session() as session:
            if session.get(Run, run_id) is not None:
                apply_records(session, run_id, records)
            session.commit()

    def ingest(self, run_id: int, *, statuses: bool = True) -> int:
        """Apply what the run's journal has that is new. Returns the number of records.

        `statuses`: see `apply_records`. What prevents it is kept as the run's `trouble`. Raises StoreError,
        and OSError when the run's folder cannot be read.
        """
        with self.database.session() as session:
            row, run = _row(session, run_id), session.get(Run, run_id)
            if run is None or not run.folder:
                return 0
            folder, cursor = Path(run.folder), _cursor(row)
        applied = 0
        try:
            while True:
                batch = read_on(folder, cursor)
                if not batch.records:
                    break
                if self.apply(run_id, cursor, batch.records, batch.cursor, statuses=statuses):
                    applied += len(batch.records)
                    cursor = batch.cursor
                else:  # another process reads as well
                    at = self.cursor(run_id)
                    if at == cursor:  # the run is gone
                        break
                    cursor = at
        except FileNotFoundError:
            return applied  # the folder is not there yet, or gone
        except JournalError as error:
            self._note(run_id, folder, cursor, error, row)
            return applied
        if row is not None and row.trouble is not None:
            self.database.write(_of(run_id).values(trouble=None, trouble_since=None))
        return applied

    def _move(self, session: Session, run_id: int, before: Cursor, after: Cursor) -> bool:
        was = {
            "of_run": run_id,
            "was_number": before.number,
            "was_identity": before.identity,
            "was_records": before.records,
        }
        moved = session.connection().execute(_MOVE, {**was, **_columns(after)}).rowcount
        if moved == 0 and before == Cursor() and _row(session, run_id) is None:
            return _make_row(session, run_id) and self._move(session, run_id, before, after)
        return int(moved) == 1

    def _note(
        self, run_id: int, folder: Path, cursor: Cursor, error: JournalError, row: JournalRow | None
    ) -> None:
        """Keep why it cannot be read on; after some minutes the next file is read, if there is one."""
        known = row is not None and row.trouble == str(error)
        if not known:
            with self.database.session() as session:
                _make_row(session, run_id)
                values = {"trouble": str(error), "trouble_since": time.time()}
                session.connection().execute(_of(run_id).values(**values))
                session.commit()
            return
        assert row is not None
        waited = time.time() - (row.trouble_since or 0.0)
        if waited <= LATE_SECONDS:
            return
        with contextlib.suppress(JournalError):  # the next file is no better
            following = skip_to_next(folder, cursor)
            if following is not None and self.apply(run_id, cursor, [], following):
                log.warning("run %s: %s It was read on without them.", run_id, error)


def _row(session: Session, run_id: int) -> JournalRow | None:
    return session.exec(select(JournalRow).where(JournalRow.run_id == run_id)).first()


def _make_row(session: Session, run_id: int) -> bool:
    """Make the run's row where there is none; False when the run itself is gone."""
    if _row(session, run_id) is not None:
        return True
    try:
        with session.begin_nested():  # another process may make it meanwhile
            values = {"run_id": run_id, **_columns(Cursor())}
            session.connection().execute(insert(JournalRow).values(**values))
    except IntegrityError:
        session.expire_all()
        return _row(session, run_id) is not None
    return True


def _cursor(row: JournalRow | None) -> Cursor:
    return Cursor(row.number, row.identity, row.records, row.position) if row is not None else Cursor()


def _columns(cursor: Cursor) -> dict[str, Any]:
    return {
        "number": cursor.number,
        "identity": cursor.identity,
        "records": cursor.records,
        "position": cursor.position,
    }


def _of(run_id: int) -> Any:
    return update(JournalRow).where(col(JournalRow.run_id) == run_id)


_MOVE = (
    update(JournalRow)
    .where(
        col(JournalRow.run_id) == bindparam("of_run"),
        col(JournalRow.number) == bindparam("was_number"),
        col(JournalRow.identity) == bindparam("was_identity"),
        col(JournalRow.records) == bindparam("was_records"),
    )
    .values({name: bindparam(name) for name in _columns(Cursor())})
)
"""Built once: it is executed with every step of a training."""
