"""Measures training throughput, and decides how often to report."""

from __future__ import annotations

import time

REPORT_SECONDS = 0.25
SPEED_SECONDS = 2.0
"""Throughput is averaged over at least this long, so that one slow step does not make it jump."""


class Throughput:
    """Counts tokens and time while training, but not while evaluating or saving."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start measuring: training begins, or continues after an evaluation or a checkpoint."""
        self._reported = self._measured_from = time.monotonic()
        self._tokens = 0

    def is_due(self) -> bool:
        """Whether it is time for another report; if so, the next interval starts."""
        now = time.monotonic()
        if now - self._reported < REPORT_SECONDS:
            return False
        self._reported = now
        return True

    def count(self, tokens: int) -> None:
        """Add tokens that were trained on."""
        self._tokens += tokens

    def tokens_per_second(self, *, now: bool = False) -> float | None:
        """Throughput since the last value was returned; None if that was less than SPEED_SECONDS ago."""
        seconds = time.monotonic() - self._measured_from
        if not self._tokens or (seconds < SPEED_SECONDS and not now):
            return None
        speed = self._tokens / max(seconds, 1e-6)
        self._tokens, self._measured_from = 0, time.monotonic()
        return speed
