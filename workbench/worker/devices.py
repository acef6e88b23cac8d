"""How many runs this machine trains at once, and which GPU each of them is to see."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from itertools import takewhile

from workbench.store import Run

VISIBLE = "CUDA_VISIBLE_DEVICES"
GIVEN = "visible_device"
"""In a run's environment: the GPU that the queue gave it."""


def gpus() -> list[str]:
    """The NVIDIA GPUs that a training may use, as CUDA_VISIBLE_DEVICES names them; empty: only the CPU."""
    named = os.environ.get(VISIBLE)
    if named is not None:
        # as CUDA reads it: what follows a number that is none is not seen
        names = (one.strip() for one in named.split(","))
        return list(takewhile(lambda one: one not in ("", "-1"), names))
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
    """The device that the fewest of these runs train on; None where there is nothing to choose."""
    if len(devices) < 2:
        return None
    used = Counter(_device_of(run, devices) for run in running)
    return min(devices, key=lambda device: used[device])


def variables(device: str) -> dict[str, str]:
    """What makes a process see this device alone. Where nobody has named the devices, their numbers are the
    driver's, which are not those that CUDA gives by itself on a machine of unlike GPUs."""
    order = {} if VISIBLE in os.environ else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {VISIBLE: device, **order}


def _device_of(run: Run, devices: list[str]) -> str | None:
    """The device that a run trains on: the one it was given, the one that its recipe names, or the first."""
    wanted = str(run.recipe.device)
    if given := run.environment.get(GIVEN):
        return str(given)
    if wanted in ("auto", "cuda"):
        return devices[0]
    number = wanted.removeprefix("cuda:")
    return devices[int(number)] if number.isdigit() and int(number) < len(devices) else None
