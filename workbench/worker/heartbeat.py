"""Once a second: records in the store that the worker is alive, and checks whether it should stop."""

from __future__ import annotations

import logging
import time

from workbench.errors import StoreError, UsageError
from workbench.processes import Identity
from workbench.status import Status
from workbench.store import Store
from workbench.worker.background import Background
from workbench.worker.stop_flag import StopFlag

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


class Heartbeat(Background):
    """Beats in the store. The run is lost when it was deleted, or marked as crashed and resumed elsewhere."""

    def __init__(self, store: Store, run_id: int, identity: Identity, stop: StopFlag) -> None:
        super().__init__("heartbeat", stop)
        self._store, self._run_id, self._identity = store, run_id, identity

    def run(self) -> None:
        """Beat until the training has ended."""
        while not self._over.wait(BEAT_SECONDS):
            try:
                self._beat()
            except UsageError:
                self._lose("was deleted")
            except StoreError as error:
                log.debug("heartbeat: %s", error)  # the recorder logs a warning already
            if self.lost:
                return

    def _beat(self) -> None:
        run = self._store.run(self._run_id)
        if (run.worker_pid, run.worker_started_at) != (
            self._identity.worker_pid,
            self._identity.worker_started_at,
        ):
            self._lose("was resumed by another process")
            return
        if run.stop_requested_at is not None:
            self._stop_flag.set()
        now = time.time()
        if run.status == Status.CRASHED:  # marked by a process that could not see this one
            log.warning("This run was marked as crashed, but it is still running.")
            self._store.change_status(
                self._run_id,
                {Status.CRASHED},
                status=Status.RUNNING,
                ended_at=None,
                error=None,
                error_hint=None,
                heartbeat_at=now,
            )
        else:
            self._store.change_status(self._run_id, {Status.RUNNING}, heartbeat_at=now)

    def _lose(self, why: str) -> None:
        log.error("This run %s; the worker exits.", why)
        self.lost = True
        self._stop_flag.set()
