"""What an import found, before it is stored."""

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
"""The Trainer's names, and ours."""
LARGEST_STEP = 2**53


class Value(NamedTuple):
    """One figure. `epoch` 0 where it is not known."""

    name: str
    step: int
    epoch: float
    value: float


class Saved(NamedTuple):
    """A checkpoint's folder, with a model in safetensors."""

    step: int
    epoch: float
    path: Path
    best: bool


@dataclass(frozen=True, slots=True)
class Found:
    """`recipe`: what is known of it, by our names, and nothing else. `fingerprint`: of its log."""

    kind: str
    path: Path
    fingerprint: str
    recipe: dict[str, Any]
    values: list[Value]
    checkpoints: list[Saved] = field(default_factory=list)
    total_steps: int | None = None
    started_at: float | None = None  # seconds since 1970
    ended_at: float | None = None


def value_at(name: str, step: Any, epoch: Any, figure: Any) -> Value | None:
    """A figure as another program wrote it; None when it is none, as a loss of NaN is."""
    numbers = [one for one in (step, figure, epoch or 0) if isinstance(one, int | float)]
    if len(numbers) < 3 or not all(map(math.isfinite, numbers)) or not 0 <= step <= LARGEST_STEP:
        return None
    return Value(name, int(step), float(epoch or 0), float(figure))


def with_perplexities(values: Iterable[Value]) -> list[Value]:
    """The values in the order of steps, each loss with its perplexity."""
    found = []
    for one in values:
        found.append(one)
        if one.name in PERPLEXITY_OF:
            found.append(one._replace(name=PERPLEXITY_OF[one.name], value=perplexity(one.value)))
    return sorted(found, key=lambda one: one.step)
