"""What the list of runs reads from the store, and when: little at a time, and nothing twice."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.display.run import spark
from workbench.errors import WorkbenchError
from workbench.metrics import MetricName
from workbench.tui.runs.columns import COLUMNS, SPARK

if TYPE_CHECKING:
    from workbench.store import Store
    from workbench.store.run_lines import RunLine
    from workbench.tui.runs.details import About, AboutRun
    from workbench.tui.screen import WorkbenchScreen

FIRST = 200
"""Runs shown while the rest is first read: more than a screen has lines."""
WHOLE_EVERY = 5.0
"""Seconds between two reads of all runs while something changes all the time."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All runs, newest first, and the width that each column could use.

    `reload_in`: seconds until a whole read is due, because this one was partial and something had changed;
    None: not due. `complete`: not only the newest runs.
    """

    lines: list[RunLine] = field(default_factory=list)
    widths: list[int] = field(default_factory=lambda: [column.least for column in COLUMNS])
    reload_in: float | None = None
    complete: bool = True


class Reading:
    """One per list. Each of its three reads runs on a thread, at most one of each at a time."""

    def __init__(self, store: Store) -> None:
        from workbench.store.run_lines import RunLines

        self._store = store
        self._kept = RunLines(store.database)
        self._widths: tuple[list[RunLine], list[int]] = ([], Listing().widths)
        self._whole_version: int | None = None
        self._whole_at = float("-inf")
        self._has_begun = False
        self.touched: set[int] = set()
        """Runs changed here, to be read again."""
        self._sparks: dict[int, object] = {}
        self._spark_lines: Sequence[RunLine] = ()
        self._reading_sparks = False
        self._about: AboutRun | None = None
        self._about_line: RunLine | None = None
        self._reading_about = False

    def listing(self, version: int | None) -> Listing:
        """Read what may have changed. `version`: the store's data version."""
        from workbench.tui.runs.layout import widths

        if not self._has_begun:
            self._has_begun = True
            lines = self._kept.newest(FIRST)
            if len(lines) == FIRST:
                return Listing(lines, widths(lines), 0.0, complete=False)
        now = time.monotonic()
        changed = version is None or version != self._whole_version
        due = self._whole_at + WHOLE_EVERY - now
        also, self.touched = self.touched, set()
        whole = changed and due <= 0
        lines = self._kept.refresh(whole=whole, also=also)
        if whole:
            if self._whole_version is None:
                gc.freeze()  # thousands of unchanged lines: looking through them would hold up a key
            self._whole_version, self._whole_at = version, now
        # A running run makes no column wider, and measuring all of them each second would be slow.
        if also or whole or len(lines) != len(self._widths[0]):
            self._widths = (lines, widths(lines))
        return Listing(lines, self._widths[1], due if changed and not whole else None)

    def sparks(
        self,
        screen: WorkbenchScreen,
        lines: Sequence[RunLine],
        then: Callable[[dict[int, str]], None],
    ) -> None:
        """Read the sparklines of those runs that are new or have grown."""
        self._spark_lines = lines
        if self._reading_sparks:
            return
        self._reading_sparks = True

        async def job() -> None:
            try:
                while wanted := {
                    line.id: _state(line)
                    for line in self._spark_lines
                    if self._sparks.get(line.id) != _state(line)
                }:
                    read = self._store.curves.sparks
                    values_by_run = await asyncio.to_thread(
                        read, list(wanted), MetricName.EVAL_PERPLEXITY, 2 * SPARK
                    )
                    self._sparks.update(wanted)
                    then({run_id: spark(values, SPARK) for run_id, values in values_by_run.items()})
            except WorkbenchError as error:
                screen.tell_error(error)
            finally:
                self._reading_sparks = False

        screen.run_worker(job(), group="sparks")

    def knows(self, line: RunLine) -> bool:
        """Whether the details read last are this run's, in its present state."""
        return self._about_line is line

    def about(self, screen: WorkbenchScreen, line: RunLine, then: Callable[[About], None]) -> None:
        """Read the details of a run."""
        from workbench.tui.runs.details import AboutRun

        self._about_line = line
        if self._reading_about:
            return
        self._reading_about = True
        reader = self._about = self._about or AboutRun(self._store)

        async def job() -> None:
            read: RunLine | None = None
            try:
                while self._about_line is not None and self._about_line is not read:
                    read = self._about_line
                    then(await asyncio.to_thread(reader.read, read.id))
            except WorkbenchError:
                self._about_line = None  # it was deleted; the next read of the list shows that
            finally:
                self._reading_about = False

        screen.run_worker(job(), group="about")


def _state(line: RunLine) -> object:
    """What changes when a run's curve does."""
    return line.created_at, line.segment, line.eval_perplexity, line.best_eval_perplexity, line.status
