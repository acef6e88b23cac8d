"""Ends the processes of a run when the one that started them is gone: none of them lives on unwatched."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from workbench.processes import is_same_process, own_identity
from workbench.worker.stop_flag import StopFlag

VARIABLE = "MLM_WORKBENCH_LAUNCHER"
"""Of the processes that a launcher starts: its pid and creation time."""
LAUNCHER = "launcher"
"""The key of a run's environment for the same."""
LOOK_SECONDS = 1.0
PATIENCE = 300.0
"""Seconds in which a process without its launcher may save a checkpoint."""


def launcher() -> tuple[int, float] | None:
    """The launcher of this process; None where it was started without one."""
    named = os.environ.get(VARIABLE, "").split()
    return (int(named[0]), float(named[1])) if len(named) == 2 else None


def name_launcher() -> None:
    """This process is the launcher of those that it starts from now on."""
    own = own_identity()
    os.environ[VARIABLE] = f"{own.worker_pid} {own.worker_started_at!r}"


def launcher_lives(environment: Mapping[str, Any]) -> bool:
    """Whether the launcher that a run's environment names is alive; it tells then how its processes end."""
    named = environment.get(LAUNCHER)
    return named is not None and is_same_process(int(named[0]), float(named[1]))


class Leash(threading.Thread):
    """Watches the launcher. When it is gone, `broken` is true and the process is asked to stop; it is ended
    if it does not."""

    def __init__(self, stop: StopFlag) -> None:
        super().__init__(daemon=True, name="leash")
        self._stop_flag = stop
        self._launcher = launcher()
        self.broken = False

    def hold(self) -> Leash:
        """Begin to watch, if there is a launcher."""
        if self._launcher is not None:
            self.start()
        return self

    def run(self) -> None:
        """Look until the launcher is gone."""
        assert self._launcher is not None
        while is_same_process(*self._launcher):
            time.sleep(LOOK_SECONDS)
        self.broken = True
        self._stop_flag.set()
        time.sleep(PATIENCE)
        os._exit(1)
