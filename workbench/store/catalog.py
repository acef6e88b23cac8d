"""Edits the list of runs: stars, names, tags, notes, archiving, deleting and restoring."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import col, select

from workbench.errors import UsageError
from workbench.status import ACTIVE, ENDED
from workbench.store.database import Queries, in_parts, retried
from workbench.store.naming import checked
from workbench.store.runs import Runs
from workbench.store.tables import Run

LONGEST_TAG = 50
LONGEST_NOTE = 10_000


class Catalog(Queries):
    """A person's changes to one or more rows of the table `run`; `store.catalog`."""

    def star(self, run_ids: Collection[int], starred: bool) -> None:
        self._set(run_ids, starred=starred)

    def archive(self, run_ids: Collection[int], archived: bool) -> None:
        """Archive or unarchive runs. An archived run is only hidden from the list."""
        self._set(run_ids, archived=archived)

    def rename(self, run_id: int, name: str) -> str:
        """Rename a run, not its folder. Returns the name. Raises UsageError for an invalid name."""
        name = checked(name)
        self._set([run_id], name=name)
        return name

    def note(self, run_ids: Collection[int], note: str) -> None:
        """Set the runs' note. Raises UsageError when it is too long."""
        if len(note) > LONGEST_NOTE:
            raise UsageError(
                f"A note may have at most {LONGEST_NOTE:,} characters; this one has {len(note):,}."
            )
        self._set(run_ids, note=note)

    @retried
    def retag(self, run_ids: Collection[int], change: Callable[[list[str]], list[str]]) -> None:
        """Replace each run's tags with `change(tags)`. Raises UsageError for an invalid tag."""
        with self.database.session() as session:
            for part in in_parts(run_ids):
                for run in session.exec(select(Run).where(col(Run.id).in_(part)).with_for_update()):
                    run.tags = checked_tags(change(list(run.tags)))
            session.commit()

    @retried
    def delete(self, run_ids: Collection[int]) -> list[int]:
        """Hide runs until they are restored or purged, except active ones. Returns the hidden runs' ids."""
        hidden: list[int] = []
        with self.database.session() as session:
            for part in in_parts(run_ids):
                query = (
                    update(Run)
                    .where(
                        col(Run.id).in_(part),
                        col(Run.deleted_at).is_(None),
                        col(Run.status).not_in(ACTIVE),
                    )
                    .values(deleted_at=time.time())
                    .returning(col(Run.id))
                )
                hidden += [run_id for (run_id,) in session.connection().execute(query)]
            session.commit()
        return sorted(hidden)

    def restore(self, run_ids: Collection[int]) -> int:
        """Restore deleted runs. Returns how many had not been purged yet."""
        return self._set(run_ids, deleted_at=None)

    def deleted(self) -> list[int]:
        """The ids of the runs that are deleted but not purged yet."""
        with self.database.session() as session:
            return list(
                session.exec(select(Run.id).where(col(Run.deleted_at).is_not(None)).order_by(col(Run.id)))
            )

    def purge(self) -> int:
        """Remove deleted runs and their folders permanently. Returns how many."""
        removed = 0
        for run_id in self.deleted():
            # another process may have purged the run meanwhile, or its worker may have come back
            with contextlib.suppress(UsageError):
                self.remove(run_id)
                removed += 1
        return removed

    def remove(self, run_id: int) -> None:
        """Remove one run and its folder permanently. Raises UsageError while it is queued or running."""
        run = Runs(self.database).run(run_id)
        if self.database.write(delete(Run).where(col(Run.id) == run_id, col(Run.status).in_(ENDED))) != 1:
            raise UsageError(
                f"Run {run_id} {run.name} is {run.status}.", f"Stop it first: mlm-workbench stop {run_id}"
            )
        if (folder := self.database.folders.made_here(run)) is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _set(self, run_ids: Collection[int], **values: Any) -> int:
        return sum(
            self.database.write(update(Run).where(col(Run.id).in_(part)).values(**values))
            for part in in_parts(run_ids)
        )


def checked_tags(tags: Sequence[str]) -> list[str]:
    """The tags without duplicates. Raises UsageError for a tag with spaces, commas or control characters."""
    for tag in tags:
        if not tag or len(tag) > LONGEST_TAG or not tag.isprintable() or any(c in ", " for c in tag):
            raise UsageError(
                f"Invalid tag: {tag[:LONGEST_TAG]!r}.",
                f"A tag is one word of at most {LONGEST_TAG} characters, without commas.",
            )
    return list(dict.fromkeys(tags))
