"""The wish that a training should end, from a signal or from the store."""

from __future__ import annotations

import signal


class StopFlag:
    """Once set, it stays set. A plain attribute: a signal handler must not wait for a lock."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        """Whether the training should stop."""
        return self._asked

    def ask(self) -> None:
        """The training should stop."""
        self._asked = True

    def listen_to_signals(self) -> None:
        """SIGTERM and SIGINT ask for a stop; a terminal that is closed (SIGHUP) does not matter."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.ask())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
