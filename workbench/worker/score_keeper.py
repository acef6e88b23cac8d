"""Reports a worker's scores through its channel."""

from __future__ import annotations

from collections.abc import Callable

from workbench.analysis.scorer import Keeper
from workbench.journal.lines import Kind
from workbench.store import MetricValue, Run, Yardstick
from workbench.store.records import score_values


class ScoreKeeper(Keeper):
    """`tell(kind, **values)` adds a record."""

    def __init__(self, tell: Callable[..., None], run: Run) -> None:
        self._tell, self._of = tell, run

    def score(self, row: Yardstick) -> Yardstick:
        self._tell(Kind.SCORE, **score_values(row))
        return row

    def metric(self, measured: MetricValue) -> None:
        rows = [[measured.step, measured.epoch, {str(measured.name): measured.value}]]
        self._tell(Kind.METRICS, segment=self._of.segment, rows=rows)

    def newest(self, value: float) -> None:
        self._tell(Kind.COLUMNS, values={"yardstick_perplexity": value})
