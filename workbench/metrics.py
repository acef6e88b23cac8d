"""The metrics of a training: their names, units and formats; and the definition of perplexity."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, Self

from workbench.events import Phase


class MetricName(StrEnum):
    """A metric's name in the store, and how to show it. A new metric needs a line here, and code to measure
    it.

    `label` and `unit`: shown beside the value. `form`: a Python format, or "perplexity" or "compact"
    (display.numbers). `in_panel`: whether the live view has a panel for it. `highest`: the end of its scale.
    `lower_is_better`: None if neither is.
    """

    def __new__(cls, name: str, *_: object) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        return member

    def __init__(
        self,
        name: str,
        label: str = "",
        unit: str = "",
        form: str = "g",
        in_panel: bool = False,
        highest: float | None = None,
        lower_is_better: bool | None = None,
    ) -> None:
        self.label, self.unit, self.form = label, unit, form
        self.in_panel, self.highest, self.lower_is_better = in_panel, highest, lower_is_better

    TRAIN_LOSS = "train/loss", "loss", "nats", ".3f", False, None, True  # per masked token
    TRAIN_PERPLEXITY = "train/perplexity", "train perplexity", "", "perplexity", False, None, True
    EVAL_LOSS = "eval/loss", "test loss", "nats", ".3f", False, None, True
    EVAL_PERPLEXITY = "eval/perplexity", "test perplexity", "", "perplexity", False, None, True
    YARDSTICK_PERPLEXITY = "yardstick/perplexity", "on the yardstick", "", "perplexity", False, None, True
    LEARNING_RATE = "train/learning_rate", "lr", "", ".3g", True
    GRAD_NORM = "train/grad_norm", "grad norm", "", ".2f", True
    TOKENS_PER_SECOND = "speed/tokens_per_second", "tokens/s", "", "compact", True, None, False
    GPU = "system/gpu", "GPU", "%", ".0f", True, 100.0
    GPU_MEMORY = "system/gpu_memory", "GPU memory", "%", ".0f", True, 100.0
    GPU_MEMORY_USED = "system/gpu_memory_used", "GPU memory used", "GB", ".2f"
    GPU_TEMPERATURE = "system/gpu_temperature", "GPU temp", "°C", ".0f", True
    CPU = "system/cpu", "CPU", "%", ".0f", True, 100.0
    RAM = "system/ram", "RAM", "%", ".0f", True, 100.0
    WORKER_MEMORY = "system/worker_memory", "worker RAM", "GB", ".2f", True


CURVES = (MetricName.TRAIN_LOSS, MetricName.TRAIN_PERPLEXITY, MetricName.EVAL_PERPLEXITY)
"""The metrics of a run's curves, and those that `train` prints."""
MOST_GPUS = 16
"""GPUs of one machine that have metrics of their own."""
PANELS = tuple(name for name in MetricName if name.in_panel)
PERPLEXITY_OF: dict[str, MetricName] = {
    MetricName.TRAIN_LOSS: MetricName.TRAIN_PERPLEXITY,
    MetricName.EVAL_LOSS: MetricName.EVAL_PERPLEXITY,
}
OF_GPUS = tuple(
    f"{name}/{number}" for name in (MetricName.GPU, MetricName.GPU_MEMORY) for number in range(MOST_GPUS)
)
"""Of a run with several GPUs on its leading machine, each one's usage and memory; the metric without a number
is then the mean usage, the fullest memory, the sum of the memory used, and the highest temperature."""
TIME = "time/"
"""The prefix of metrics that hold the duration of a phase in seconds."""
TIMES = tuple(f"{TIME}{phase}" for phase in Phase)


def perplexity(loss: float) -> float:
    """exp of a mean loss in nats per token; inf if it overflows, as after a diverged training.

    The store, CSV and Parquet keep inf, screens show ∞, and JSON has null, since it has no infinity
    (`as_json`); the loss in `eval/loss` is still a number.
    """
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def change(log_ratio: float) -> float:
    """The relative change from a to b, from ln(b / a): 0.03 for 3 % more; inf if it overflows."""
    return perplexity(log_ratio) - 1


def as_json(value: Any) -> Any:
    """`value`, with null for the numbers that JSON does not have, also in nested lists and dictionaries."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value
