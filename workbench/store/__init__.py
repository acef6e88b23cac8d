"""What is remembered of every run."""

from workbench.store.store import MetricValue, Store
from workbench.store.tables import ACTIVE, Checkpoint, Cloze, Fill, Metric, Run, Status, Sweep, Yardstick

__all__ = [
    "ACTIVE",
    "Checkpoint",
    "Cloze",
    "Fill",
    "Metric",
    "MetricValue",
    "Run",
    "Status",
    "Store",
    "Sweep",
    "Yardstick",
]
