"""What the sweep screens read from the store, on a thread, and cache."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.analysis.sweep_table import sweep_table
from workbench.display import numbers
from workbench.display.sweep import described
from workbench.display.sweep_curves import MOST, WIDTH
from workbench.metrics import MetricName, perplexity
from workbench.recipe import Affects
from workbench.recipe_fields import SEEDS, fields_that
from workbench.status import ACTIVE, Status
from workbench.store.sweeps import state_of

if TYPE_CHECKING:
    from workbench.analysis.sweep_table import Compared, SweepTable
    from workbench.display.curve import Point
    from workbench.store import Store, Sweep
    from workbench.store.sweep_lines import SweepRun
    from workbench.stored_recipe import StoredRecipe


@dataclass(frozen=True, slots=True)
class Counts:
    """The runs of a sweep by state. `waiting` includes a search's remaining trials; `done` the trials that it
    pruned; `failed` all others that did not finish."""

    done: int
    running: int
    waiting: int
    failed: int

    @classmethod
    def of(cls, sweep: Sweep, runs: Sequence[SweepRun]) -> Counts:
        search = bool(sweep.plan.get("trials"))
        ended = {Status.FINISHED, Status.STOPPED} if search else {Status.FINISHED}
        waiting = sum(run.waits for run in runs)
        done = sum(run.status in ended for run in runs)
        running = sum(run.status in ACTIVE for run in runs) - waiting
        return cls(done, running, waiting + sweep.trials_left, len(runs) - done - running - waiting)

    @property
    def left(self) -> int:
        """Runs that have not ended."""
        return self.running + self.waiting

    @property
    def all(self) -> int:
        """All runs, including those to come."""
        return self.done + self.left + self.failed


@dataclass(frozen=True, slots=True)
class SweepLine:
    """One sweep of the list. `best`: the recipe with the lowest mean perplexity on the yardstick; "" while
    none is known, or where the swept fields decide what the yardstick asks."""

    id: int
    name: str
    search: bool
    state: str
    counts: Counts
    fields: tuple[str, ...]
    best_perplexity: float | None
    best: str


class SweepList:
    """Rereads the list; recipes are read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recipes: dict[int, StoredRecipe] = {}

    def read(self) -> list[SweepLine]:
        """All sweeps, newest first."""
        runs = self._store.sweeps.lines.runs()
        unknown = [run.id for run in runs if run.id not in self._recipes and run.yardstick_perplexity]
        self._recipes |= self._store.sweeps.lines.recipes(unknown)
        members: dict[int, list[SweepRun]] = {}
        for run in runs:
            members.setdefault(run.sweep_id, []).append(run)
        return [self._line(sweep, members.get(sweep.id, [])) for sweep in self._store.sweeps.all()]

    def _line(self, sweep: Sweep, runs: list[SweepRun]) -> SweepLine:
        fields = fields_of(sweep)
        counts = Counts.of(sweep, runs)
        perplexity, best = self._best(runs, fields)
        search = bool(sweep.plan.get("trials"))
        state = state_of(sweep, counts.left)
        return SweepLine(sweep.id, sweep.name, search, state, counts, fields, perplexity, best)

    def _best(self, runs: list[SweepRun], fields: tuple[str, ...]) -> tuple[float | None, str]:
        held_out = fields_that(Affects.TEXT | Affects.QUESTIONS, all_of=True)
        if {*held_out} & {*fields}:
            return None, ""
        logs: dict[tuple[str, ...], list[float]] = {}
        values: dict[tuple[str, ...], dict[str, Any]] = {}
        for run in runs:
            score = run.yardstick_perplexity
            if score and math.isfinite(score):
                recipe = self._recipes[run.id]
                key = tuple(repr(recipe.get(name)) for name in fields)
                logs.setdefault(key, []).append(math.log(score))
                values[key] = {name: recipe.get(name) for name in fields}
        if not logs:
            return None, ""
        best = min(logs, key=lambda key: sum(logs[key]) / len(logs[key]))
        return perplexity(sum(logs[best]) / len(logs[best])), described(values[best])


@dataclass(frozen=True, slots=True)
class SweepLook:
    """One sweep's present state. places: the place in the whole queue of each waiting run, from 1.
    curves: test curves by run, of runs with measurements."""

    sweep: Sweep
    state: str
    counts: Counts
    runs: Mapping[int, SweepRun]
    table: SweepTable
    places: Mapping[int, int]
    curves: Mapping[int, Sequence[Point]]

    def waiting(self, run_ids: Iterable[int]) -> list[int]:
        """The waiting ones of these runs, in queue order."""
        return sorted(
            (run_id for run_id in run_ids if run_id in self.places), key=lambda run_id: self.places[run_id]
        )


class SweepReader:
    """Rereads one sweep; its table only when a run has a new result."""

    def __init__(self, store: Store, sweep_id: int) -> None:
        self._store, self._id = store, sweep_id
        self._table: tuple[object, SweepTable] | None = None
        self._compared: Compared = {}
        self._states: dict[int, object] = {}
        self._curves: dict[int, Sequence[Point]] = {}

    def read(self) -> SweepLook:
        """Raises UsageError when there is no such sweep."""
        sweep = self._store.sweeps.sweep(self._id)
        runs = self._store.sweeps.lines.runs(self._id)
        fields = fields_of(sweep)
        state = (fields, [(run.id, run.status, run.yardstick_perplexity) for run in runs])
        if self._table is None or self._table[0] != state:
            whole = self._store.sweeps.runs(self._id)
            self._table = (state, sweep_table(self._store, whole, fields, self._compared))
        counts = Counts.of(sweep, runs)
        queue = self._store.sweeps.lines.queue()
        own = {run.id for run in runs}
        return SweepLook(
            sweep,
            state_of(sweep, counts.left),
            counts,
            {run.id: run for run in runs},
            self._table[1],
            {run_id: place for place, run_id in enumerate(queue, 1) if run_id in own},
            self._read_curves(runs, self._table[1]),
        )

    def _read_curves(self, runs: Sequence[SweepRun], table: SweepTable) -> dict[int, Sequence[Point]]:
        drawn = {run_id for entry in table.ranked()[:MOST] for run_id in entry.runs}
        grown = {}
        for run in runs:
            state = (run.segment, run.eval_perplexity, run.status)
            if run.id in drawn and run.eval_perplexity is not None and self._states.get(run.id) != state:
                self._states[run.id] = state
                grown[run.id] = self._store.curves.thinned(run.id, MetricName.EVAL_PERPLEXITY, 4 * WIDTH)
        if grown:  # otherwise keep the same object, so that nothing is redrawn
            self._curves = {**self._curves, **grown}
        return self._curves


def fields_of(sweep: Sweep) -> tuple[str, ...]:
    """The fields that a sweep varies."""
    return tuple(name for name in (*sweep.plan["values"], *sweep.plan["ranges"]) if name not in SEEDS)


def counts_text(counts: Counts) -> str:
    """`5 of 12 done, 1 running, 6 waiting`."""
    parts = [f"{numbers.count(counts.done)} of {numbers.count(counts.all)} done"]
    for word in ("running", "waiting", "failed"):
        count = getattr(counts, word)
        parts += [f"{numbers.count(count)} {word}"] if count else []
    return ", ".join(parts)
