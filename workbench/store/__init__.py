"""What is remembered of every run."""

from workbench.store.store import MetricValue, Store
from workbench.store.tables import ACTIVE, Checkpoint, Fill, Metric, Run, Status

__all__ = ["ACTIVE", "Checkpoint", "Fill", "Metric", "MetricValue", "Run", "Status", "Store"]
