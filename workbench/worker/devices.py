"""The GPUs of this machine, how many processes train a run, and which GPUs each run uses."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from itertools import takewhile

from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.store import Run
from workbench.stored_recipe import StoredRecipe

VISIBLE = "CUDA_VISIBLE_DEVICES"
ASSIGNED = "visible_device"
"""The key in a run's environment for the GPUs that the queue assigned to it, separated by commas."""


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


def processes_of(recipe: Recipe | StoredRecipe, wanted: int | None, devices: list[str]) -> int:
    """How many processes train a run on this machine. `wanted` None: one for each GPU that it may use, one on
    a CPU. Raises UsageError for more than there are GPUs, or chunks in a step.
    """
    chunks = recipe.batch_size * recipe.gradient_accumulation
    on_gpus = bool(devices) and recipe.device in ("auto", "cuda")
    if wanted is None:
        return min(len(devices), chunks) if on_gpus else 1
    if wanted > 1 and recipe.device.startswith(("cuda:", "mps")):
        raise UsageError(
            f"device = {recipe.device} is one device, which {wanted} processes cannot share.",
            "Use device = auto, or one process.",
        )
    if on_gpus and wanted > len(devices):
        raise UsageError(
            f"{wanted} processes need {wanted} GPUs; this run may use {len(devices)}.",
            "Lower --processes, or leave it out to use them all.",
        )
    if wanted > chunks:
        raise UsageError(
            f"A step of {chunks} chunks cannot be shared by {wanted} processes.",
            f"Raise batch_size, or use at most {chunks} processes.",
        )
    return wanted


def choose(
    devices: list[str], running: Iterable[Run], count: int = 1, *, shared: bool = False
) -> list[str] | None:
    """The `count` GPUs that a run is to use: free ones, or with `shared` those that the fewest others use.

    Empty where there is nothing to choose, None where the run has to wait.
    """
    if len(devices) < 2:
        return []
    used = Counter(device for run in running for device in devices_of(run, devices))
    chosen = sorted(devices, key=lambda device: used[device])[:count]
    if len(chosen) < count or (not shared and any(used[device] for device in chosen)):
        return None
    return chosen


def devices_of(run: Run, devices: list[str]) -> list[str]:
    """The devices that a run trains on: those assigned to it, the one its recipe names, or the first ones."""
    wanted = str(run.recipe.device)
    if assigned := run.environment.get(ASSIGNED):
        return str(assigned).split(",")
    if wanted in ("auto", "cuda"):
        return devices[: run.processes or len(devices)]
    number = wanted.removeprefix("cuda:")
    return [devices[int(number)]] if number.isdigit() and int(number) < len(devices) else []


def variables(chosen: list[str]) -> dict[str, str]:
    """The environment variables that restrict a process to these devices.

    Unless CUDA_VISIBLE_DEVICES is set, devices are numbered as the driver numbers them; CUDA's own default
    order differs where the GPUs are of different models.
    """
    order = {} if VISIBLE in os.environ else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {VISIBLE: ",".join(chosen), **order}
