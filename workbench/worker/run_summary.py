"""The metrics in a run's row, kept up to date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.events import Metrics
from workbench.metrics import MetricName
from workbench.store import Metric

FOLLOWED = (MetricName.TRAIN_PERPLEXITY, MetricName.EVAL_PERPLEXITY, MetricName.TOKENS_PER_SECOND)
"""The metrics that the row is computed from."""
_COLUMNS = (
    *("epoch", "step", "baseline_perplexity", "train_perplexity"),
    *("eval_perplexity", "best_eval_perplexity", "tokens_per_second"),
)


class RunSummary:
    """The columns that are computed from metrics, and their values so far."""

    def __init__(self) -> None:
        self._columns: dict[str, Any] = dict.fromkeys(_COLUMNS)
        self._speed_step = 0
        self._steps = self._time = 0.0

    @classmethod
    def of(cls, metrics: Iterable[Metric]) -> RunSummary:
        """The summary of `metrics`, oldest first."""
        summary = cls()
        for metric in metrics:
            summary.update(Metrics(metric.step, metric.epoch, {metric.name: metric.value}))
        return summary

    @property
    def columns(self) -> dict[str, Any]:
        return dict(self._columns)

    def update(self, event: Metrics) -> dict[str, Any]:
        """Add the event's metrics; returns the columns that change."""
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
        """All tokens divided by all time: the windows' speeds, each weighted by its steps."""
        steps = max(1, step - self._speed_step)
        self._speed_step = step
        self._steps += steps
        self._time += steps / max(speed, 1e-9)
        return self._steps / self._time
