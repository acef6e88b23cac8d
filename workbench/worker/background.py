"""A thread that watches a run while the worker trains it."""

from __future__ import annotations

import threading
from typing import Self

from workbench.worker.stop_flag import StopFlag


class Background(threading.Thread):
    """A context manager around the training: the thread starts with it and is joined at its end.

    `lost` becomes true when the run is no longer this worker's: the worker must not write to it any more.
    """

    def __init__(self, name: str, stop: StopFlag) -> None:
        super().__init__(daemon=True, name=name)
        self._stop_flag = stop
        self._over = threading.Event()
        self.lost = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
