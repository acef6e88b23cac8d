"""How many runs this machine trains at once, and which GPU each of them is to see."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from workbench.store import Run

VISIBLE = "CUDA_VISIBLE_DEVICES"
GIVEN = "visible_device"
"""In a run's environment: the GPU that the queue gave it."""


def gpus() -> list[str]:
    """The NVIDIA GPUs that a training may use, as CUDA_VISIBLE_DEVICES names them; empty: only the CPU."""
    named = os.environ.get(VISIBLE)
    if named is not None:
        return [one.strip() for one in named.split(",") if one.strip() not in ("", "-1")]
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            return [str(index) for index in range(pynvml.nvmlDeviceGetCount())]
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no driver, or one that does not answer: the CPU is there in any case
        return []


def least_used(devices: list[str], running: Iterable[Run]) -> str | None:
    """The device that the fewest of these runs were given; None where there is nothing to choose."""
    if len(devices) < 2:
        return None
    used = Counter(run.environment.get(GIVEN) for run in running)
    return min(devices, key=lambda device: used[device])
