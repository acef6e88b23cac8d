"""Two lines under the form: the cost of the run, or of the grid."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Sequence

from textual import work
from textual.widgets import Static

from workbench.errors import UsageError
from workbench.sweeps.plan import Plan
from workbench.text import printable
from workbench.tui.new_run.cost import PastRun, estimate
from workbench.tui.new_run.grid import SEEDS_FIELD, Typed, grid_lines


class CostLines(Static):
    """Estimates a grid on a thread, since it may have a thousand recipes."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._plan: Plan | None = None

    def show(self, typed: Typed, past: Sequence[PastRun]) -> None:
        """Show the cost of these fields, as far as it is known."""
        self._plan = typed.plan
        if typed.plan is not None:
            self._count(typed.plan, past)
        elif typed.recipe is not None:
            self._say(estimate(typed.recipe, past, platform.node()).lines())
        else:
            seeds = typed.problems.get(SEEDS_FIELD)
            wrong = typed.problems.get("", f"✗ {seeds}" if seeds else "")
            self._say(["Cost: shown when all fields are valid.", wrong])

    @work(group="grid", exclusive=True)
    async def _count(self, plan: Plan, past: Sequence[PastRun]) -> None:
        try:
            lines = await asyncio.to_thread(_lines, plan, past)
        except UsageError as error:
            lines = [f"✗ {error.message}", error.hint or ""]
        if plan is self._plan:
            self._say(lines)

    def _say(self, lines: Sequence[str]) -> None:
        self.update(printable("\n".join(lines), keep_newlines=True))


def _lines(plan: Plan, past: Sequence[PastRun]) -> list[str]:
    from workbench.worker import devices

    return grid_lines(plan, past, platform.node(), max(len(devices.gpus()), 1))
