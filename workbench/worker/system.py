"""Samples CPU, memory and GPU usage every few seconds while a run trains.

They become the metrics named `system/...` (metrics.py has their units). Unavailable ones are left out.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import fmean
from typing import Any, Self

import psutil

from workbench.events import Event, Listener, Metrics
from workbench.metrics import MOST_GPUS, OF_GPUS, MetricName

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
_GB = 1e9


class SystemSampler(threading.Thread):
    """Forwards a training's events to `listen`, and adds samples of the machine's usage between them.

    A context manager. `step` and `epoch`: where the run starts.
    """

    def __init__(
        self, listen: Listener, *, step: int = 0, epoch: float = 0.0, every: float = EVERY_SECONDS
    ) -> None:
        super().__init__(daemon=True, name="system")
        self._listen, self._every = listen, every
        self._step, self._epoch = step, epoch
        # A sample must not follow metrics of a later step.
        self._telling = threading.Lock()
        self._over = threading.Event()

    def __call__(self, event: Event) -> None:
        with self._telling:
            if isinstance(event, Metrics):
                self._step, self._epoch = event.step, event.epoch
            self._listen(event)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Sample until the training has ended. An error here must not end the training."""
        gauges = Gauges()
        while not self._over.wait(self._every):
            try:
                values = gauges.read()
                with self._telling:
                    self._listen(Metrics(self._step, self._epoch, values))
            except Exception as error:
                log.warning("System metrics have stopped: %s", error)
                return


class Gauges:
    """Reads the usage of this machine and, if the training uses one, of its NVIDIA GPU."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._gpu: Callable[[], dict[str, float]] | None = None
        psutil.cpu_percent()  # the next call measures from this one on

    def read(self) -> dict[str, float]:
        """The available metrics by name."""
        memory = psutil.virtual_memory()
        values = {
            MetricName.CPU: psutil.cpu_percent(),
            MetricName.RAM: memory.percent,
            MetricName.WORKER_MEMORY: self._process.memory_info().rss / _GB,
        }
        if self._gpu is None:
            self._gpu = _gpus_in_use()
        return values | (self._gpu() if self._gpu else {})


def _gpus_in_use() -> Callable[[], dict[str, float]] | None:
    """A reader of the GPUs that the run's processes on this machine use; None while this one uses none."""
    import torch

    if not torch.cuda.is_initialized():
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = []
        for number in _devices(torch.cuda.current_device(), torch.cuda.device_count()):
            # By UUID: torch's numbers differ from the driver's under CUDA_VISIBLE_DEVICES.
            uuid = str(torch.cuda.get_device_properties(number).uuid).removeprefix("GPU-")
            handles.append(pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}".encode()))
    except Exception as error:  # no driver library, or one that does not know this GPU
        log.info("GPU metrics are not available: %s", error)
        return dict
    return lambda: together([_gpu_metrics(pynvml, handle) for handle in handles])


def _devices(own: int, visible: int) -> list[int]:
    """The GPUs, as torch numbers them, of all the run's processes on this machine."""
    processes = int(os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("WORLD_SIZE") or 1)
    return [own] if processes == 1 else list(range(min(processes, visible, MOST_GPUS)))


def together(gpus: Sequence[dict[str, float]]) -> dict[str, float]:
    """The metrics of several GPUs: of all of them, and of each where there are several (metrics.OF_GPUS)."""
    if len(gpus) == 1:
        return gpus[0]
    summary: tuple[tuple[MetricName, Callable[[list[float]], float]], ...] = (
        (MetricName.GPU, fmean),
        (MetricName.GPU_MEMORY, max),
        (MetricName.GPU_MEMORY_USED, sum),
        (MetricName.GPU_TEMPERATURE, max),
    )
    values: dict[str, float] = {}
    for name, combine in summary:
        if known := [gpu[name] for gpu in gpus if name in gpu]:
            values[name] = combine(known)
    for number, gpu in enumerate(gpus):
        values |= {f"{name}/{number}": value for name, value in gpu.items() if f"{name}/{number}" in OF_GPUS}
    return values


def _gpu_metrics(pynvml: Any, handle: Any) -> dict[str, float]:
    """Each metric is read separately: some GPUs, and slices of GPUs, do not report all of them."""
    values: dict[str, float] = {}
    with suppress(pynvml.NVMLError):
        values[MetricName.GPU] = float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    with suppress(pynvml.NVMLError):
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        values[MetricName.GPU_MEMORY] = 100.0 * memory.used / memory.total
        values[MetricName.GPU_MEMORY_USED] = memory.used / _GB
    with suppress(pynvml.NVMLError):
        celsius = pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
        values[MetricName.GPU_TEMPERATURE] = float(celsius)
    return values
