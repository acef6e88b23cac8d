"""The store: what the database holds about every run."""

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
