"""A thread that asks the engine now and then, in the process that holds the scheduler's lease."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from workbench.engines.slurm import Slurm
from workbench.engines.watch import Watch
from workbench.errors import WorkbenchError
from workbench.store import Store
from workbench.worker.jobs import looked_at

log = logging.getLogger(__name__)

USUAL_SECONDS, WATCHED_SECONDS = 30.0, 10.0
"""Between two questions; the shorter time while somebody looks at the runs."""
_RECENTLY = 20.0
_BREATH = 0.5


class Watcher(threading.Thread):
    """Asks for as long as there are jobs; `is_alive` says whether it does. A command takes up to a minute
    where Slurm is silent, and nothing else waits for it."""

    def __init__(self, store: Store) -> None:
        super().__init__(daemon=True, name="slurm")
        self._store, self._watch = store, Watch(store, Slurm())
        self._over = threading.Event()

    def run(self) -> None:
        """Ask until there are no jobs, or `end` is called."""
        while not self._over.is_set():
            try:
                if not self._watch.look():
                    return
            except WorkbenchError as error:  # of the store; the next look finds it better
                log.warning("%s", error)
            except Exception:
                log.exception("Slurm was not asked.")
            self._wait()

    def _wait(self) -> None:
        began = time.monotonic()
        while not self._over.wait(_BREATH):
            watched = time.time() - looked_at(Path(self._store.runs_folder)) < _RECENTLY
            wanted = WATCHED_SECONDS if watched else USUAL_SECONDS
            if self._watch.is_settling or time.monotonic() - began >= wanted:
                return

    def end(self) -> None:
        """Ask no more."""
        self._over.set()
