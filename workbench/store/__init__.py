"""What is remembered of every run."""

from workbench.store.store import MetricValue, Store
from workbench.store.tables import Checkpoint, Cloze, Fill, Metric, Run, Sweep, Yardstick

__all__ = [
    "Checkpoint",
    "Cloze",
    "Fill",
    "Metric",
    "MetricValue",
    "Run",
    "Store",
    "Sweep",
    "Yardstick",
]
