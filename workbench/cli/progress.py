"""A run's progress: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from workbench.display import numbers
from workbench.events import Phase
from workbench.metrics import MetricName
from workbench.store import Metric, Run
from workbench.text import amount, printable

_LINE_SECONDS = 10.0
"""Seconds between two lines about one phase, without a terminal."""


class View(AbstractContextManager["View"], Protocol):
    """Shows a run's progress."""

    def say(self, text: str) -> None:
        """Print a line."""

    def show(self, run: Run, metrics: Sequence[Metric]) -> None:
        """Show the run's present state and its new metrics."""


class _Common:
    """What both ways of showing progress share."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._loss: float | None = None
        self._phase: str | None = None

    def say(self, text: str) -> None:
        self._console.print(Text(printable(text, keep_newlines=True)), soft_wrap=True, highlight=False)

    def _read(self, metrics: Sequence[Metric]) -> None:
        for metric in metrics:
            if metric.name == MetricName.TRAIN_LOSS:
                self._loss = metric.value
            else:
                self.say(_measured(metric))

    def _facts(self, run: Run) -> str:
        loss = numbers.labelled(MetricName.TRAIN_LOSS, self._loss) + "  " if self._loss is not None else ""
        speed = f"{numbers.compact(run.tokens_per_second)} tokens/s" if run.tokens_per_second else ""
        return loss + speed


class LineView(_Common):
    """Plain lines: each phase once, each evaluation, and progress now and then."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._told = time.monotonic()
        self._trained = False

    def __enter__(self) -> LineView:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, run: Run, metrics: Sequence[Metric]) -> None:
        self._read(metrics)
        now = time.monotonic()
        if run.phase != self._phase:
            # evaluating and saving happen often, and their results have lines of their own
            again = self._trained and run.phase in (Phase.TRAINING, Phase.EVALUATING, Phase.SAVING)
            self._trained = self._trained or run.phase == Phase.TRAINING
            self._phase, self._told = run.phase, now
            if run.phase and not again:
                self.say(f"{run.phase}…")
        elif run.progress_done and now - self._told >= _LINE_SECONDS:
            self._told = now
            facts = f"  {self._facts(run)}" if run.phase == Phase.TRAINING else ""
            self.say(f"{run.phase}: {_how_far(run)}{facts}")


class BarView(_Common):
    """One bar for the whole training, and one for the other phases."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[count]}", markup=False),
            TextColumn("{task.fields[facts]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            refresh_per_second=4,
        )
        self._training: TaskID | None = None
        self._other: TaskID | None = None

    def __enter__(self) -> BarView:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, run: Run, metrics: Sequence[Metric]) -> None:
        self._read(metrics)
        done, total = run.progress_done, run.progress_total
        count = _how_far(run)
        if run.phase == Phase.TRAINING:
            if self._training is None:
                self._training = self._bars.add_task("training", total=None, count="", facts="")
            if total:
                self._bars.update(
                    self._training, completed=done, total=total, count=count, facts=self._facts(run)
                )
            self._drop_other()
        else:
            if run.phase != self._phase:
                self._drop_other()
            doing = run.phase or str(run.status)
            if self._other is None:
                self._other = self._bars.add_task(doing, total=None, count="", facts="")
            self._bars.update(self._other, completed=done, total=total or None, count=count)
        self._phase = run.phase

    def _drop_other(self) -> None:
        if self._other is not None:
            self._bars.remove_task(self._other)
            self._other = None


def _how_far(run: Run) -> str:
    return amount(run.progress_done or 0, run.progress_total or 0, run.progress_unit or "")


def _measured(metric: Metric) -> str:
    value = numbers.perplexity(metric.value)
    if metric.step == 0:
        return f"before training: test perplexity {value}"
    label = MetricName(metric.name).label
    return f"epoch {metric.epoch:.2f}, step {metric.step:,}: {label} {value}"
