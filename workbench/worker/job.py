"""A worker in a cluster's job: it cannot open the user's store, and reports through its run's journal only.

It uses a scratch store on its own machine's disk, made from the run's journal. So runs are resumed as
everywhere, and the user's store receives everything from the journal.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker.background import Background
from workbench.worker.channel import Channel
from workbench.worker.job_file import described_run, stop_was_asked
from workbench.worker.stop_flag import StopFlag

log = logging.getLogger(__name__)

AGAIN = 75
"""The exit code of a worker that saved a checkpoint when told to end, and should run again: EX_TEMPFAIL."""
PROGRESS_SECONDS = 2.0
"""How often progress is written to the journal, at most."""
MODEL = "job_model"
"""The key in the environment of a run in a scratch store for the folder of the model `run:RUN`."""
_LOOK_SECONDS, _BEAT_SECONDS = 1.0, 5.0


@contextmanager
def scratch_store(folder: Path) -> Iterator[tuple[Store, Run]]:
    """A store with only the run of this folder, queued unless it is finished. Raises StoreError."""
    folder = folder.absolute()
    described = described_run(folder)
    with tempfile.TemporaryDirectory(prefix="mlm-workbench-") as place:
        store = Store.open(Path(place) / "scratch.db")
        try:
            store.database.take_paths_as_stored()
            environment = {**described["environment"]}
            if described.get("model"):
                environment[MODEL] = described["model"]
            run_id = store.journals.adopt({**described, "environment": environment}, folder, described["id"])
            store.journals.ingest(run_id)
            if trouble := store.journals.trouble(run_id):
                log.warning("%s The run continues without what comes after it.", trouble)
            if store.run(run_id).status != Status.FINISHED:
                store.update_run(run_id, status=Status.QUEUED, stop_requested_at=None)
            yield store, store.run(run_id)
        finally:
            store.close()


def end_of_job(folder: Path) -> dict[str, Any]:
    """The ending of a run that a signal stopped: by the user, or because its job ends and it should
    continue."""
    if stop_was_asked(folder):
        return {"status": str(Status.STOPPED), "phase": None}
    return {"status": str(Status.QUEUED), "phase": None, "reason": "terminated"}


class Pulse(Background):
    """Touches a job's journal as a heartbeat, and checks whether the user asked for a stop. The run is lost
    when another process has resumed it.
    """

    def __init__(self, channel: Channel, stop: StopFlag) -> None:
        super().__init__("pulse", stop)
        self._channel = channel

    def run(self) -> None:
        """Check and beat until the training has ended."""
        beaten = 0.0
        while not self._over.wait(_LOOK_SECONDS):
            if stop_was_asked(self._channel.folder):
                self._stop_flag.set()
            try:
                if self._channel.superseded():
                    log.error("This run was resumed by another process; the worker exits.")
                    self.lost = True
                    self._stop_flag.set()
                    return
                if time.monotonic() - beaten >= _BEAT_SECONDS:
                    beaten = time.monotonic()
                    self._channel.beat()
            except OSError as error:
                log.debug("pulse: %s", error)  # the recorder logs a warning already
