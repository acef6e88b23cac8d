"""The figures that stand in a run's row, kept up to date from its metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.events import Metrics
from workbench.metrics import MetricName
from workbench.store import Metric

FOLLOWED = (MetricName.TRAIN_PERPLEXITY, MetricName.EVAL_PERPLEXITY, MetricName.TOKENS_PER_SECOND)
"""The metrics that the row is made from."""
_COLUMNS = (
    *("epoch", "step", "baseline_perplexity", "train_perplexity"),
    *("eval_perplexity", "best_eval_perplexity", "tokens_per_second"),
)


class RunSummary:
    """The columns that follow from metrics, and their values so far."""

    def __init__(self) -> None:
        self._columns: dict[str, Any] = dict.fromkeys(_COLUMNS)
        self._speed_step = 0
        self._steps = self._time = 0.0

    @classmethod
    def of(cls, metrics: Iterable[Metric]) -> RunSummary:
        """The figures that `metrics`, oldest first, come to."""
        figures = cls()
        for metric in metrics:
            figures.after(Metrics(metric.step, metric.epoch, {metric.name: metric.value}))
        return figures

    @property
    def columns(self) -> dict[str, Any]:
        """All of them."""
        return dict(self._columns)

    def after(self, event: Metrics) -> dict[str, Any]:
        """Take in what was measured; the columns that change by it."""
        changed: dict[str, Any] = {"epoch": event.epoch, "step": event.step}
        for name, value in event.values.items():
            if name == MetricName.TRAIN_PERPLEXITY:
                changed["train_perplexity"] = value
            elif name == MetricName.EVAL_PERPLEXITY and event.step == 0:
                changed["baseline_perplexity"] = value
            elif name == MetricName.EVAL_PERPLEXITY:
                best = self._columns["best_eval_perplexity"]
                changed["eval_perplexity"] = value
                changed["best_eval_perplexity"] = value if best is None else min(best, value)
            elif name == MetricName.TOKENS_PER_SECOND:
                changed["tokens_per_second"] = self._overall_speed(event.step, value)
        self._columns |= changed
        return changed

    def _overall_speed(self, step: int, speed: float) -> float:
        """All tokens by all time: the windows' speeds, each counted with the steps that it took in."""
        steps = max(1, step - self._speed_step)
        self._speed_step = step
        self._steps += steps
        self._time += steps / max(speed, 1e-9)
        return self._steps / self._time
