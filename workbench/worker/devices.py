"""Which GPUs this machine has for training, and which of them each run uses."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from itertools import takewhile

from workbench.store import Run

VISIBLE = "CUDA_VISIBLE_DEVICES"
ASSIGNED = "visible_device"
"""The key in a run's environment for the GPU that the queue assigned to it."""


def gpus() -> list[str]:
    """The NVIDIA GPUs that a training may use, named as in CUDA_VISIBLE_DEVICES; empty: only the CPU."""
    visible = os.environ.get(VISIBLE)
    if visible is not None:
        # CUDA ignores everything after the first invalid name
        names = (name.strip() for name in visible.split(","))
        return list(takewhile(lambda name: name not in ("", "-1"), names))
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            return [str(index) for index in range(pynvml.nvmlDeviceGetCount())]
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no driver, or one that does not answer: use the CPU
        return []


def least_used(devices: list[str], running: Iterable[Run]) -> str | None:
    """The device with the fewest of these runs; None if there are not at least two devices."""
    if len(devices) < 2:
        return None
    used = Counter(_device_of(run, devices) for run in running)
    return min(devices, key=lambda device: used[device])


def variables(device: str) -> dict[str, str]:
    """The environment variables that restrict a process to this device.

    Unless CUDA_VISIBLE_DEVICES is set, devices are numbered as the driver numbers them; CUDA's own default
    order differs where the GPUs are of different models.
    """
    order = {} if VISIBLE in os.environ else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {VISIBLE: device, **order}


def _device_of(run: Run, devices: list[str]) -> str | None:
    """The device that a run trains on: the one assigned to it, the one its recipe names, or the first."""
    wanted = str(run.recipe.device)
    if assigned := run.environment.get(ASSIGNED):
        return str(assigned)
    if wanted in ("auto", "cuda"):
        return devices[0]
    number = wanted.removeprefix("cuda:")
    return devices[int(number)] if number.isdigit() and int(number) < len(devices) else None
