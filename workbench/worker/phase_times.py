"""Measures how long each phase of a run took, as metrics named `time/PHASE` in seconds."""

from __future__ import annotations

import time
from typing import Self

from workbench.events import Event, Listener, Metrics, Phase, PhaseChanged
from workbench.metrics import TIME


class PhaseTimes:
    """Forwards a training's events to `listen`, and adds the duration of each phase when it ends.

    A context manager. A phase that is entered repeatedly, such as training between evaluations, has one value
    per visit. `step` and `epoch`: where the run starts.
    """

    def __init__(self, listen: Listener, *, step: int = 0, epoch: float = 0.0) -> None:
        self._listen = listen
        self._step, self._epoch = step, epoch
        self._phase: Phase | None = None
        self._since = time.monotonic()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Metrics):
            self._step, self._epoch = event.step, event.epoch
        elif isinstance(event, PhaseChanged) and event.phase != self._phase:
            self._end_phase()
            self._phase = event.phase
        self._listen(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_phase()

    def _end_phase(self) -> None:
        now = time.monotonic()
        if self._phase is not None:
            name = f"{TIME}{self._phase}"
            self._listen(Metrics(self._step, self._epoch, {name: now - self._since}))
        self._phase, self._since = None, now
