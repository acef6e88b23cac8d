"""The store: the database of runs, their metrics and checkpoints."""

from workbench.store.measurements import MetricValue
from workbench.store.store import Store
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
