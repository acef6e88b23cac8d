"""The request to stop a training, from a signal or from the store."""

from __future__ import annotations

import signal


class StopFlag:
    """Stays set once set. A plain attribute, since a signal handler must not wait for a lock."""

    def __init__(self) -> None:
        self._is_set = False
        self.signal: int | None = None  # the first one that asked

    def __call__(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Ask the training to stop."""
        self._is_set = True

    def listen_to_signals(self) -> None:
        """SIGTERM and SIGINT set the flag; SIGHUP (a closed terminal) is ignored."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: self._receive(number))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _receive(self, number: int) -> None:
        self.signal = self.signal or number
        self.set()
