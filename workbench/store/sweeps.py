"""Sweeps, and the queue of waiting runs, whose order can be changed."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import func, or_, update
from sqlmodel import Session, col, select

from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.status import PlaceEngine, Status, SweepState
from workbench.store.catalog import Catalog
from workbench.store.database import Database, Queries, retried
from workbench.store.naming import checked, name_for
from workbench.store.sweep_lines import WAITS, SweepLines
from workbench.store.tables import Run, Sweep
from workbench.stored_recipe import StoredRecipe

MakeFolder = Callable[[Path], Path]
"""Creates a run's folder, or one by another name if it is taken; returns the path."""
Place = Literal["first", "last"]
RESUMED = "resumed_by_the_queue"
"""The key in a run's environment for the number of automatic resumes."""
PLACED = "columns"
"""Of a sweep's plan: the columns of its runs that say where they run; missing where that is here."""
PROCESSES = "processes"
"""Of a sweep's plan: how many train each of its runs; missing: one."""
MOST_RESUMES = 2
"""Per run: one that keeps vanishing, for example out of memory, must not block the others for ever."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to queue."""

    recipe: Recipe
    name: str


class Sweeps(Queries):
    """Queries on the table `sweep` and on runs that wait; `store.sweeps`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.lines = SweepLines(database)

    # Creating

    @retried
    def add(
        self,
        name: str | None,
        plan: dict[str, Any],
        runs: Callable[[str], Sequence[NewRun]],
        make_folder: MakeFolder,
        *,
        trials: int = 0,
        environment: dict[str, Any] | None = None,
        tags: Sequence[str] = (),
        columns: dict[str, Any] | None = None,
        processes: int | None = None,
    ) -> Sweep:
        """Add a sweep and its waiting runs to the end of the queue, in one transaction.

        columns: where the runs run, if not here; they do not wait for their turn then, but are submitted.
        `runs` is given the sweep's name: `name`, or sweep-ID. Raises UsageError for a name that cannot be,
        and whatever `make_folder` raises.
        """
        with self.database.session() as session:
            sweep = Sweep(
                name=checked(name) if name else "",
                status=SweepState.RUNNING,
                plan={
                    **plan,
                    "environment": environment or {},
                    "tags": list(tags),
                    **({PLACED: columns} if columns else {}),
                    **({PROCESSES: processes} if processes else {}),
                },
                trials_left=trials,
                created_at=time.time(),
            )
            session.add(sweep)
            session.flush()
            sweep.name = sweep.name or f"sweep-{sweep.id}"
            self._queue(session, sweep, runs(sweep.name), make_folder)
            session.commit()
            return sweep

    @retried
    def extend(
        self,
        sweep_id: int,
        plan: dict[str, Any],
        runs: Sequence[NewRun],
        make_folder: MakeFolder,
        *,
        trials: int = 0,
    ) -> list[Run]:
        """Add runs and trials to a sweep, with its new plan."""
        with self.database.session() as session:
            sweep = self._get(session, sweep_id)
            kept_keys = ("environment", "tags", PLACED, PROCESSES)
            kept = {key: sweep.plan[key] for key in kept_keys if key in sweep.plan}
            sweep.plan = {**plan, **kept}
            sweep.trials_left += trials
            made = self._queue(session, sweep, runs, make_folder)
            session.commit()
            return made

    @retried
    def take_trial(self, sweep_id: int, run: NewRun, make_folder: MakeFolder) -> Run | None:
        """Queue one of a search's remaining trials; None if none is left."""
        with self.database.session() as session:
            taken = session.connection().execute(
                update(Sweep)
                .where(col(Sweep.id) == sweep_id, col(Sweep.trials_left) > 0)
                .values(trials_left=col(Sweep.trials_left) - 1)
            )
            if taken.rowcount != 1:
                return None
            made = self._queue(session, self._get(session, sweep_id), [run], make_folder)
            session.commit()
            return made[0]

    def _queue(
        self, session: Session, sweep: Sweep, runs: Sequence[NewRun], make_folder: MakeFolder
    ) -> list[Run]:
        self.database.take_turns(session)  # for a place of their own in the queue
        last = session.exec(select(func.max(Run.queue_position))).one() or 0.0
        made, placed = [], sweep.plan.get(PLACED)
        for number, new in enumerate(runs, 1):
            run = Run(
                name="",
                recipe=StoredRecipe.of(new.recipe),
                tags=list(sweep.plan["tags"]),
                environment=dict(sweep.plan["environment"]),
                sweep_id=sweep.id,
                queue_position=None if placed else last + number,
                created_at=time.time(),
                **(placed or {"processes": sweep.plan.get(PROCESSES)}),
            )
            session.add(run)
            session.flush()
            run.name, slug = name_for(new.recipe, new.name, ())
            run.folder = str(make_folder(self.database.folders.folder / f"{run.id}-{slug}"))
            made.append(run)
        return made

    # Reading

    def all(self) -> list[Sweep]:
        """All sweeps, newest first."""
        with self.database.session() as session:
            return list(session.exec(select(Sweep).order_by(col(Sweep.id).desc())))

    def sweep(self, sweep_id: int) -> Sweep:
        """The sweep with that id. Raises UsageError when there is none."""
        with self.database.session() as session:
            return self._get(session, sweep_id)

    def find(self, reference: str) -> Sweep:
        """A sweep by id, by a unique name, or `latest`. Raises UsageError, which lists candidates."""
        sweeps = self.all()
        if reference == "latest":
            matches = sweeps[:1]
        elif reference.isascii() and reference.isdigit():
            matches = [sweep for sweep in sweeps if sweep.id == int(reference[:18])]
        else:
            matches = [sweep for sweep in sweeps if sweep.name == reference]
        if len(matches) == 1:
            return matches[0]
        if not sweeps:
            raise UsageError(
                "There are no sweeps yet.", "Start one: mlm-workbench sweep --chunk-size 64,128 --seeds 2"
            )
        if matches:
            ids = ", ".join(str(sweep.id) for sweep in matches)
            raise UsageError(f"{len(matches)} sweeps are called {reference!r}: {ids}.", "Use the id.")
        shown = ", ".join(f"{sweep.id} {sweep.name}" for sweep in sweeps[:5])
        raise UsageError(f"There is no sweep {reference!r}.", f"The newest are {shown}.")

    def runs(self, sweep_id: int) -> list[Run]:
        """The runs of a sweep that are not deleted, oldest first."""
        query = select(Run).where(Run.sweep_id == sweep_id, col(Run.deleted_at).is_(None))
        with self.database.session() as session:
            return list(session.exec(query.order_by(col(Run.id))))

    def counts(self) -> dict[int, dict[str, int]]:
        """The number of runs by status, for each sweep with runs."""
        query = (
            select(Run.sweep_id, Run.status, func.count())
            .where(col(Run.sweep_id).is_not(None), col(Run.deleted_at).is_(None))
            .group_by(col(Run.sweep_id), col(Run.status))
        )
        counts: dict[int, dict[str, int]] = {}
        with self.database.session() as session:
            for sweep_id, status, count in session.execute(query):
                counts.setdefault(sweep_id, {})[status] = count
        return counts

    def waiting(self, *, paused_too: bool = False) -> list[Run]:
        """The waiting runs in the order of the queue."""
        query = select(Run).where(WAITS)
        if not paused_too:
            paused = select(Sweep.id).where(Sweep.status == SweepState.PAUSED)
            query = query.where(or_(col(Run.sweep_id).is_(None), col(Run.sweep_id).not_in(paused)))
        with self.database.session() as session:
            return list(session.exec(query.order_by(col(Run.queue_position), col(Run.id))))

    def searches(self) -> list[Sweep]:
        """The sweeps that have trials left and are not paused, oldest first."""
        query = select(Sweep).where(Sweep.status == SweepState.RUNNING, Sweep.trials_left > 0)
        with self.database.session() as session:
            return list(session.exec(query.order_by(col(Sweep.id))))

    def crashed(self) -> list[Run]:
        """Runs of sweeps that crashed on this machine and should be resumed; oldest first."""
        paused = select(Sweep.id).where(Sweep.status == SweepState.PAUSED)
        query = select(Run).where(
            Run.status == Status.CRASHED,
            Run.host == platform.node(),
            Run.place_engine == PlaceEngine.LOCAL,
            col(Run.deleted_at).is_(None),
            col(Run.sweep_id).is_not(None),
            col(Run.sweep_id).not_in(paused),
        )
        with self.database.session() as session:
            crashed = session.exec(query.order_by(col(Run.id)))
            return [run for run in crashed if run.environment.get(RESUMED, 0) < MOST_RESUMES]

    def work_left(self) -> bool:
        """Whether there is any run to start or to resume."""
        paused = select(Sweep.id).where(Sweep.status == SweepState.PAUSED)
        waiting = select(Run.id).where(
            WAITS, or_(col(Run.sweep_id).is_(None), col(Run.sweep_id).not_in(paused))
        )
        with self.database.session() as session:
            if session.exec(waiting.limit(1)).first() is not None:
                return True
        return bool(self.searches() or self.crashed())

    # Changing

    def pause(self, sweep_id: int, paused: bool) -> None:
        """Pause or continue a sweep: a paused one starts no more runs. Running ones are not affected."""
        self.database.write(
            update(Sweep)
            .where(col(Sweep.id) == sweep_id)
            .values(status=SweepState.PAUSED if paused else SweepState.RUNNING)
        )

    def cancel(self, run_id: int) -> bool:
        """Remove a waiting run from the queue: it becomes `stopped`, and `resume` starts it. False if not
        waiting."""
        now = time.time()
        values = {"status": Status.STOPPED, "queue_position": None, "ended_at": now}
        return self.database.write(update(Run).where(col(Run.id) == run_id, WAITS).values(**values)) == 1

    def trim(self, sweep_id: int, run_ids: Collection[int] | None = None) -> int:
        """Delete waiting runs of a sweep; None: all of them, and a search's remaining trials.

        Returns how many runs and trials were dropped.
        """
        waiting = [run.id for run in self.waiting(paused_too=True) if run.sweep_id == sweep_id]
        catalog, dropped = Catalog(self.database), 0
        for run_id in waiting:
            if (run_ids is None or run_id in run_ids) and self.cancel(run_id):
                catalog.remove(run_id)
                dropped += 1
        if run_ids is None:
            dropped += self.sweep(sweep_id).trials_left
            self.database.write(update(Sweep).where(col(Sweep.id) == sweep_id).values(trials_left=0))
        return dropped

    @retried
    def move(self, run_ids: Sequence[int], to: Place | int) -> list[int]:
        """Move waiting runs, in this order, to the start or end of the queue, or before another waiting run.

        Returns the ids of the whole queue in its new order. Raises UsageError for a run that does not wait.
        """
        with self.database.session() as session:
            self.database.take_turns(session)
            queue = list(
                session.exec(select(Run).where(WAITS).order_by(col(Run.queue_position), col(Run.id)))
            )
            by_id = {run.id: run for run in queue}
            for run_id in [*run_ids, *([to] if isinstance(to, int) else [])]:
                if run_id not in by_id:
                    raise UsageError(f"Run {run_id} does not wait in the queue.", "`sweep show` lists those.")
            moved = list(dict.fromkeys(run_ids))
            order = [run_id for run_id in by_id if run_id not in moved]
            if isinstance(to, int) and to in moved:
                raise UsageError(f"Run {to} cannot be moved before itself.")
            at = 0 if to == "first" else len(order) if to == "last" else order.index(to)
            order[at:at] = moved
            # a run that was started meanwhile is not changed
            for position, waiting_id in enumerate(order, 1):
                session.connection().execute(
                    update(Run).where(col(Run.id) == waiting_id, WAITS).values(queue_position=float(position))
                )
            session.commit()
            return order

    @staticmethod
    def _get(session: Session, sweep_id: int) -> Sweep:
        sweep = session.get(Sweep, sweep_id)
        if sweep is None:
            raise UsageError(f"There is no sweep {sweep_id}.", "`mlm-workbench sweep list` lists them.")
        return sweep


def state_of(sweep: Sweep, left: int) -> str:
    """A sweep's state, a SweepState. `left`: the number of running and waiting runs, and of trials left."""
    return sweep.status if left else SweepState.DONE
