"""The lease of the scheduler: the table `keeper` names the one process that starts waiting runs."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from workbench.store.database import Queries
from workbench.store.tables import LeaseRow

_ROW = 1


class Lease(Queries):
    """The single row of `keeper`; `store.lease`. A process is identified by pid, start, host and boot id."""

    def holder(self) -> LeaseRow | None:
        """The process that took the lease last, which may have died since; None if it was released."""
        with self.database.session() as session:
            row = session.exec(select(LeaseRow).where(LeaseRow.id == _ROW)).first()
        return row if row is not None and row.pid is not None else None

    def take(self, before: LeaseRow | None, **process: Any) -> bool:
        """Take over the lease from `before`, which has died. If several processes try, one succeeds."""
        values = {**process, "heartbeat_at": time.time()}
        with self.database.session() as session:
            if session.exec(select(LeaseRow).where(LeaseRow.id == _ROW)).first() is None:
                # if another process inserts and takes the row first, the update below matches nothing
                statement = self.database.insert(LeaseRow).values(id=_ROW).on_conflict_do_nothing()
                session.connection().execute(statement)
                session.commit()
        query = update(LeaseRow).where(
            col(LeaseRow.id) == _ROW,
            col(LeaseRow.pid).is_(None) if before is None else col(LeaseRow.pid) == before.pid,
            col(LeaseRow.started_at).is_(None)
            if before is None
            else col(LeaseRow.started_at) == before.started_at,
        )
        return self.database.write(query.values(**values)) == 1

    def beat(self, pid: int, started_at: float) -> bool:
        """Renew the heartbeat. Returns whether this process still holds the lease."""
        return self.database.write(_of(pid, started_at).values(heartbeat_at=time.time())) == 1

    def release(self, pid: int, started_at: float) -> None:
        self.database.write(_of(pid, started_at).values(pid=None, started_at=None))


def _of(pid: int, started_at: float) -> Any:
    return update(LeaseRow).where(
        col(LeaseRow.id) == _ROW,
        col(LeaseRow.pid) == pid,
        col(LeaseRow.started_at) == started_at,
    )
