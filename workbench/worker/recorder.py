"""Records a training's events on a separate thread: the training never waits for a disk."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from workbench.errors import StoreError
from workbench.events import (
    CheckpointSaved,
    CorpusReady,
    EngineReady,
    Event,
    Message,
    Metrics,
    Phase,
    PhaseChanged,
    Progress,
)
from workbench.journal.lines import Kind
from workbench.private import without_secrets
from workbench.worker.channel import Channel
from workbench.worker.log_lines import narrate
from workbench.worker.run_summary import RunSummary

log = logging.getLogger(__name__)
T = TypeVar("T")

PROGRESS_SECONDS = 0.25
"""Progress is written at most this often; everything else at once."""
FLUSH_SECONDS = 10.0
"""How long a checkpoint waits for earlier metrics to reach the store."""
_RETRY_SECONDS = 1.0


class _Flush(threading.Event):
    """A mark in the queue, set when everything before it is written."""


class _End(_Flush):
    """The last mark."""


@dataclass
class _Batch:
    """Events that are written together."""

    metrics: list[tuple[int, float, dict[str, float]]] = field(default_factory=list)
    checkpoints: list[CheckpointSaved] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    columns: dict[str, Any] = field(default_factory=dict)
    progress: dict[str, Any] = field(default_factory=dict)
    marks: list[_Flush] = field(default_factory=list)


class Recorder:
    """Listens to a training (`recorder(event)`) and writes each event as it comes. A context manager.

    While the store refuses writes (it is locked, or the disk is full), events wait in memory and the write is
    retried until it succeeds or `give_up()` is true.
    """

    def __init__(
        self,
        channel: Channel,
        segment: int,
        summary: RunSummary,
        *,
        give_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._channel, self._segment = channel, segment
        self._summary, self._give_up = summary, give_up
        self._queue: queue.SimpleQueue[Event | _Flush] = queue.SimpleQueue()
        self._broken: Exception | None = None
        self._phase: PhaseChanged | None = None
        self._progress: Progress | None = None
        self._progress_written = 0.0
        self._thread = threading.Thread(target=self._write_all, daemon=True, name="recorder")

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until everything is written. Raises the error that prevented it, if any."""
        self._queue.put(_End())
        self._thread.join()
        if self._broken is not None:
            raise self._broken

    def __call__(self, event: Event) -> None:
        """Queue an event to be written.

        Waits only before a checkpoint: a resume continues from there, so the metrics up to there must be in
        the store by then. Raises the error that prevents writing, if any.
        """
        if self._broken is not None:
            raise self._broken
        line = narrate(event)
        # after an evaluation or a checkpoint the engine re-enters the phase it was in
        if line is not None and not (isinstance(event, PhaseChanged) and event == self._phase):
            log.log(*line)
        if isinstance(event, PhaseChanged):
            self._phase = event
        self._queue.put(event)
        if event == PhaseChanged(Phase.SAVING):
            self.flush(FLUSH_SECONDS)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all events so far are written; whether they are."""
        mark = _Flush()
        self._queue.put(mark)
        return mark.wait(timeout)

    def _write_all(self) -> None:
        ended = False
        while not ended:
            batch = _Batch()
            try:
                self._fill(batch)
                if self._broken is None:
                    self._write(batch)
            except Exception as error:  # a bug here: the training must not continue unrecorded
                log.exception("The metrics cannot be written.")
                self._broken = error
            ended = any(isinstance(mark, _End) for mark in batch.marks)
            for mark in batch.marks:
                mark.set()

    def _fill(self, batch: _Batch) -> None:
        """Wait until something is due, then take everything that is queued."""
        while not self._is_due(batch):
            wait = None
            if self._progress is not None:
                wait = max(0.0, self._progress_written + PROGRESS_SECONDS - time.monotonic())
            try:
                self._take(self._queue.get(timeout=wait), batch)
            except queue.Empty:
                break
        while not self._queue.empty():
            self._take(self._queue.get(), batch)
        if self._progress is not None:
            batch.progress = {
                "progress_done": self._progress.done,
                "progress_total": self._progress.total,
                "progress_unit": self._progress.unit,
            }
            self._progress, self._progress_written = None, time.monotonic()

    @staticmethod
    def _is_due(batch: _Batch) -> bool:
        return bool(batch.metrics or batch.checkpoints or batch.messages or batch.columns or batch.marks)

    def _take(self, event: Event | _Flush, batch: _Batch) -> None:
        match event:
            case _Flush():
                batch.marks.append(event)
            case Progress():
                self._progress = event
            case PhaseChanged(phase):
                self._progress = None
                batch.columns |= {
                    "phase": str(phase),
                    "progress_done": 0,
                    "progress_total": 0,
                    "progress_unit": "",
                }
            case Metrics():
                # a gradient's norm is NaN in a skipped fp16 step, and SQL has no NaN
                values = {str(name): float(v) for name, v in event.values.items() if not math.isnan(v)}
                batch.metrics.append((event.step, event.epoch, values))
                batch.columns |= self._summary.update(event)
            case CheckpointSaved():
                batch.checkpoints.append(event)
            case CorpusReady():
                batch.columns["data"] = asdict(event)
            case EngineReady():
                batch.columns |= {"engine": asdict(event), "total_steps": event.total_steps}
            case Message():
                batch.messages.append(event)

    def _write(self, batch: _Batch) -> None:
        # The run's row comes last: whoever reads its values finds the metrics and checkpoints too.
        channel = self._channel
        if batch.metrics:
            channel.note(Kind.METRICS, segment=self._segment, rows=batch.metrics)
        for saved in batch.checkpoints:
            self._note_checkpoint(saved)
        for message in batch.messages:
            channel.note(Kind.MESSAGE, text=without_secrets(message.text), level=message.level)
        if batch.columns:
            channel.note(Kind.COLUMNS, values={**batch.columns, "progress_at": time.time()})
        self._retry(lambda: channel.save(sync=bool(batch.checkpoints)))
        if batch.progress:
            self._retry(lambda: channel.progress({**batch.progress, "progress_at": time.time()}))

    def _note_checkpoint(self, saved: CheckpointSaved) -> None:
        self._channel.note(
            Kind.CHECKPOINT,
            step=saved.step,
            epoch=saved.epoch,
            path=self._channel.within(saved.path),
            eval_perplexity=saved.eval_perplexity,
            best=saved.best,
        )

    def _retry(self, write: Callable[[], None]) -> None:
        retry_until_written(write, self._give_up)


def retry_until_written(write: Callable[[], T], give_up: Callable[[], bool]) -> T | None:
    """Call `write()` until the store accepts it; None if `give_up()` becomes true first."""
    warned = False
    while True:
        try:
            return write()
        except StoreError as error:
            if give_up():
                log.error("%s The last metrics were not written.", error)
                return None
            if not warned:
                log.warning("%s Retrying until it works.", error)
                warned = True
            time.sleep(_RETRY_SECONDS)
