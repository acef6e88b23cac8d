"""An imported run before it is stored."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from workbench.metrics import PERPLEXITY_OF, MetricName, perplexity

NAMES = {
    "loss": MetricName.TRAIN_LOSS,
    "eval_loss": MetricName.EVAL_LOSS,
    "grad_norm": MetricName.GRAD_NORM,
    "learning_rate": MetricName.LEARNING_RATE,
}
"""The Trainer's names of metrics, and ours."""
LARGEST_STEP = 2**53


class Value(NamedTuple):
    """One value of a metric. `epoch`: 0 if unknown."""

    name: str
    step: int
    epoch: float
    value: float


class Saved(NamedTuple):
    """A checkpoint folder with a model in safetensors."""

    step: int
    epoch: float
    path: Path
    best: bool


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """`recipe`: only the known fields, by our names. `fingerprint`: a hash of the log."""

    kind: str
    path: Path
    fingerprint: str
    recipe: dict[str, Any]
    values: list[Value]
    checkpoints: list[Saved] = field(default_factory=list)
    total_steps: int | None = None
    started_at: float | None = None  # seconds since 1970
    ended_at: float | None = None


def value_at(name: str, step: Any, epoch: Any, value: Any) -> Value | None:
    """A value from another program's log; None if it is not usable, such as a loss of NaN."""
    numbers = [number for number in (step, value, epoch or 0) if isinstance(number, int | float)]
    if len(numbers) < 3 or not all(map(math.isfinite, numbers)) or not 0 <= step <= LARGEST_STEP:
        return None
    return Value(name, int(step), float(epoch or 0), float(value))


def with_perplexities(values: Iterable[Value]) -> list[Value]:
    """The values in the order of steps, and a perplexity for each loss."""
    extended = []
    for value in values:
        extended.append(value)
        if value.name in PERPLEXITY_OF:
            extended.append(value._replace(name=PERPLEXITY_OF[value.name], value=perplexity(value.value)))
    return sorted(extended, key=lambda value: value.step)
