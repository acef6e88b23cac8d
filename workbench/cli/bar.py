"""A progress bar for work done in this process: on a terminal only, and removed when it is done."""

from __future__ import annotations

import sys
from types import TracebackType

from workbench.events import Event, Progress
from workbench.processes import quieten
from workbench.text import amount, printable


def quiet_libraries() -> None:
    """Import the libraries without their own messages and bars."""
    quieten()
    from transformers.utils import logging

    logging.disable_progress_bar()


class Bar:
    """A context manager and a listener of events that shows progress. `what`: the name of the work."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[amount]}", markup=False),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=None, amount="")

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, what: str) -> None:
        """Begin another step."""
        self._bar.update(self._task, description=printable(what), completed=0, total=None, amount="")

    def at(self, done: int, total: int, unit: str = "") -> None:
        """Show the progress."""
        self._bar.update(self._task, completed=done, total=total, amount=amount(done, total, unit))

    def __call__(self, event: Event) -> None:
        """Show the progress of a preparation or a scoring."""
        if isinstance(event, Progress):
            self.at(event.done, event.total, event.unit)
