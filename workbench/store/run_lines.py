"""Runs as a list shows them: the few columns it needs, and of those only what may have changed."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, or_
from sqlmodel import col, select

from workbench.status import ACTIVE
from workbench.store.database import AT_ONCE, Database, Queries, in_parts
from workbench.store.tables import Run
from workbench.stored_recipe import StoredRecipe

_Row = tuple[Any, ...]
_BREATH = 0.002
"""Seconds between two such queries, in which other threads go first."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the list. Names as in the table `run`; times in seconds since 1970.

    recipe: of it only what a list shows, filters and sorts by.
    """

    id: int
    created_at: float
    name: str
    status: str
    phase: str | None
    tags: tuple[str, ...]
    note: str
    starred: bool
    archived: bool
    started_at: float | None
    ended_at: float | None
    segment: int
    epoch: float | None
    step: int | None
    total_steps: int | None
    baseline_perplexity: float | None
    train_perplexity: float | None
    eval_perplexity: float | None
    best_eval_perplexity: float | None
    yardstick_perplexity: float | None
    tokens_per_second: float | None
    checkpoint: str | None
    error: str | None
    error_hint: str | None
    recipe: StoredRecipe


_COLUMNS = tuple(name for name in RunLine.__dataclass_fields__ if name != "recipe")
_LISTED = ("model", "dataset", "chunk_size", "mask_prob", "epochs", "batch_size", "learning_rate", "seed")
"""Of the recipe; it never changes."""
_TAGS = _COLUMNS.index("tags")


class RunLines(Queries):
    """A picture of all runs that are not deleted, kept up to date. Not for several threads at once."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._rows: dict[int, _Row] = {}
        self._lines: dict[int, RunLine] = {}
        self._chosen: dict[tuple[int, float], StoredRecipe] = {}

    def newest(self, count: int) -> list[RunLine]:
        """The `count` newest runs, to be shown while the rest is read. For a picture that is still empty."""
        self._take(self._read(limit=count), keep=())
        return self._sorted()

    def refresh(self, *, whole: bool = True, also: Collection[int] = ()) -> list[RunLine]:
        """All runs, newest first. A run that did not change is the same object as before.

        Not `whole`: only new runs, those that are or were going when last seen, and the ids in `also` are
        read; what another process did to the rest comes with the next whole reading.
        """
        if whole:
            self._take([row for page in self._pages() for row in page], keep=())
        else:
            going = {line.id for line in self._lines.values() if line.status in ACTIVE}
            asked = {*going, *also}
            newer = col(Run.id) > max(self._lines, default=0)
            found = self._read(or_(newer, col(Run.status).in_(ACTIVE)))
            for part in in_parts(asked):
                found += self._read(col(Run.id).in_(part))
            self._take(found, keep=self._lines.keys() - asked)
        return self._sorted()

    def _sorted(self) -> list[RunLine]:
        return [self._lines[run_id] for run_id in sorted(self._lines, reverse=True)]

    def _pages(self) -> Iterator[list[_Row]]:
        """All rows, newest first; between two pages whoever waits for the interpreter gets it."""
        page = self._read(limit=AT_ONCE)
        yield page
        while len(page) == AT_ONCE:
            time.sleep(_BREATH)
            page = self._read(col(Run.id) < page[-1][0], limit=AT_ONCE)
            yield page

    def _take(self, found: Sequence[_Row], keep: Collection[int]) -> None:
        changed = {row[0] for row in found if self._rows.get(row[0]) != row}
        self._choose([row for row in found if row[0] in changed and row[:2] not in self._chosen])
        rows = {run_id: self._rows[run_id] for run_id in keep} | {row[0]: row for row in found}
        self._lines = {
            run_id: self._line(row) if run_id in changed else self._lines[run_id]
            for run_id, row in rows.items()
        }
        self._rows = rows

    def _line(self, row: _Row) -> RunLine:
        tags = tuple(json.loads(row[_TAGS])) if row[_TAGS] != "[]" else ()
        values = [*row[:_TAGS], tags, *row[_TAGS + 1 :], self._chosen[row[0], row[1]]]
        return RunLine(*values)

    def _read(self, *which: ColumnElement[bool], limit: int | None = None) -> list[_Row]:
        """Newest first."""
        # Tags as text: most runs have none, and those that have them did not change since the last time.
        columns = [
            cast(getattr(Run, name), Text).label(name) if name == "tags" else getattr(Run, name)
            for name in _COLUMNS
        ]
        query: Select[Any] = select(*columns).where(col(Run.deleted_at).is_(None), *which)
        query = query.order_by(col(Run.id).desc()).limit(limit)
        with self.database.session() as session:
            return [tuple(row) for row in session.execute(query)]

    def _choose(self, rows: Sequence[_Row]) -> None:
        """Read the recipes of these runs. An id may come again after a deletion, not with the same time."""
        query: Any = select(Run.id, Run.created_at, cast(col(Run.recipe), Text))
        for part in in_parts([row[0] for row in rows]):
            with self.database.session() as session:
                for run_id, created_at, recipe in session.execute(query.where(col(Run.id).in_(part))):
                    values = json.loads(recipe)
                    self._chosen[run_id, created_at] = StoredRecipe(
                        {name: values.get(name) for name in _LISTED}
                    )
            time.sleep(_BREATH if len(part) == AT_ONCE else 0)
