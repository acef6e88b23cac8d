"""The rows of the list of runs: only the columns it shows, and only the rows that may have changed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, or_
from sqlmodel import col, select

from workbench.status import ACTIVE
from workbench.store.database import AT_ONCE, Database, Queries, in_parts
from workbench.store.json_text import Damaged, from_json
from workbench.store.places import DAMAGE_HINT, damage_of
from workbench.store.tables import DamagedRecipe, Run
from workbench.stored_recipe import StoredRecipe

_Row = tuple[Any, ...]
_BREATH = 0.002
"""Pause in seconds between two pages, which lets other threads run."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the list. Columns as in the table `run`; times in seconds since 1970.

    `recipe` has only the fields that the list shows, filters and sorts by.
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
    place: str
    place_engine: str
    job: str | None
    engine_state: str | None
    engine_reason: str | None
    processes: int | None
    nodes: int | None
    recipe: StoredRecipe


_COLUMNS = tuple(name for name in RunLine.__dataclass_fields__ if name != "recipe")
_LISTED = ("model", "dataset", "chunk_size", "mask_prob", "epochs", "batch_size", "learning_rate", "seed")
"""The recipe's fields. A run's recipe never changes, so it is read once."""
_TAGS, _ERROR = _COLUMNS.index("tags"), _COLUMNS.index("error")


class RunLines(Queries):
    """A cache of all runs that are not deleted. Not thread-safe."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._rows: dict[int, _Row] = {}
        self._lines: dict[int, RunLine] = {}
        self._recipes: dict[tuple[int, float], StoredRecipe] = {}

    def newest(self, count: int) -> list[RunLine]:
        """The `count` newest runs, to show while the rest is read. For a cache that is still empty."""
        self._take(self._read(limit=count), keep=())
        return self._sorted()

    def refresh(self, *, whole: bool = True, also: Collection[int] = ()) -> list[RunLine]:
        """All runs, newest first. A run that did not change is the same object as before.

        Unless `whole`, only new runs, runs that are or were active when last read, and the ids in `also` are
        read; changes that other processes made to the rest appear with the next whole refresh.
        """
        if whole:
            self._take([row for page in self._pages() for row in page], keep=())
        else:
            active = {line.id for line in self._lines.values() if line.status in ACTIVE}
            stale = {*active, *also}
            newer = col(Run.id) > max(self._lines, default=0)
            rows = self._read(or_(newer, col(Run.status).in_(ACTIVE)))
            for part in in_parts(stale):
                rows += self._read(col(Run.id).in_(part))
            self._take(rows, keep=self._lines.keys() - stale)
        return self._sorted()

    def _sorted(self) -> list[RunLine]:
        return [self._lines[run_id] for run_id in sorted(self._lines, reverse=True)]

    def _pages(self) -> Iterator[list[_Row]]:
        """All rows, newest first, with a pause between two pages for other threads."""
        page = self._read(limit=AT_ONCE)
        yield page
        while len(page) == AT_ONCE:
            time.sleep(_BREATH)
            page = self._read(col(Run.id) < page[-1][0], limit=AT_ONCE)
            yield page

    def _take(self, read: Sequence[_Row], keep: Collection[int]) -> None:
        changed = {row[0] for row in read if self._rows.get(row[0]) != row}
        self._read_recipes([row for row in read if row[0] in changed and row[:2] not in self._recipes])
        rows = {run_id: self._rows[run_id] for run_id in keep} | {row[0]: row for row in read}
        self._lines = {
            run_id: self._line(row) if run_id in changed else self._lines[run_id]
            for run_id, row in rows.items()
        }
        self._rows = rows

    def _line(self, row: _Row) -> RunLine:
        tags = from_json(row[_TAGS]) if row[_TAGS] != "[]" else []
        recipe = self._recipes[row[0], row[1]]
        values = [*row[:_TAGS], tuple(tags) if isinstance(tags, list) else (), *row[_TAGS + 1 :], recipe]
        damaged = ["recipe"] * isinstance(recipe, DamagedRecipe) + ["tags"] * (not isinstance(tags, list))
        if damaged:
            values[_ERROR], values[_ERROR + 1] = damage_of(damaged), DAMAGE_HINT
        return RunLine(*values)

    def _read(self, *which: ColumnElement[bool], limit: int | None = None) -> list[_Row]:
        """The matching rows, newest first."""
        # Tags are read as text: most runs have none, and parsing is only needed for rows that changed.
        columns = [
            cast(getattr(Run, name), Text).label(name) if name == "tags" else getattr(Run, name)
            for name in _COLUMNS
        ]
        query: Select[Any] = select(*columns).where(col(Run.deleted_at).is_(None), *which)
        query = query.order_by(col(Run.id).desc()).limit(limit)
        with self.database.session() as session:
            return [tuple(row) for row in session.execute(query)]

    def _read_recipes(self, rows: Sequence[_Row]) -> None:
        """Read the recipes of these runs. An id may be reused after a deletion, but not with the same
        time."""
        query: Any = select(Run.id, Run.created_at, cast(col(Run.recipe), Text))
        for part in in_parts([row[0] for row in rows]):
            with self.database.session() as session:
                for run_id, created_at, recipe in session.execute(query.where(col(Run.id).in_(part))):
                    self._recipes[run_id, created_at] = _listed(from_json(recipe))
            time.sleep(_BREATH if len(part) == AT_ONCE else 0)


def _listed(recipe: object) -> StoredRecipe:
    if not isinstance(recipe, dict) or isinstance(recipe, Damaged):
        return DamagedRecipe()
    return StoredRecipe({name: recipe.get(name) for name in _LISTED})
