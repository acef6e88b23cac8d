"""Ends the processes of a run when their launcher is gone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from workbench.processes import is_same_process, own_identity
from workbench.worker.stop_flag import StopFlag

VARIABLE = "MLM_WORKBENCH_LAUNCHER"
"""The environment variable with the launcher's pid and creation time."""
LAUNCHER = "launcher"
"""The key in a run's environment for the same."""
LOOK_SECONDS = 1.0
PATIENCE = 300.0
"""How long a process without its launcher may take to save a checkpoint."""


def launcher() -> tuple[int, float] | None:
    """The launcher of this process; None if it was started without one."""
    named = os.environ.get(VARIABLE, "").split()
    return (int(named[0]), float(named[1])) if len(named) == 2 else None


def name_launcher() -> None:
    """Make this process the launcher of those that it starts from now on."""
    own = own_identity()
    os.environ[VARIABLE] = f"{own.worker_pid} {own.worker_started_at!r}"


def launcher_lives(environment: Mapping[str, Any]) -> bool:
    """Whether the launcher in a run's environment is alive; it then records how its processes end."""
    named = environment.get(LAUNCHER)
    return named is not None and is_same_process(int(named[0]), float(named[1]))


class Leash(threading.Thread):
    """Watches the launcher. When it is gone, `broken` becomes true and the process is asked to stop; if it
    does not stop in time, it is ended.
    """

    def __init__(self, stop: StopFlag) -> None:
        super().__init__(daemon=True, name="leash")
        self._stop_flag = stop
        self._launcher = launcher()
        self.broken = False

    def hold(self) -> Leash:
        """Start to watch, if there is a launcher."""
        if self._launcher is not None:
            self.start()
        return self

    def run(self) -> None:
        """Wait until the launcher is gone, then stop this process."""
        assert self._launcher is not None
        while is_same_process(*self._launcher):
            time.sleep(LOOK_SECONDS)
        self.broken = True
        self._stop_flag.set()
        time.sleep(PATIENCE)
        os._exit(1)
