"""How often to report, and how fast the training goes."""

from __future__ import annotations

import time

REPORT_SECONDS = 0.25
SPEED_SECONDS = 2.0
"""Throughput is averaged over at least this long, so that a single slow step does not make it jump."""


class Throughput:
    """A clock that runs while training and not while evaluating or saving."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Training begins, or goes on after something else."""
        self._reported = self._measured_from = time.monotonic()
        self._tokens = 0

    def is_due(self) -> bool:
        """Whether it is time for another report; asking starts the next interval."""
        now = time.monotonic()
        if now - self._reported < REPORT_SECONDS:
            return False
        self._reported = now
        return True

    def count(self, tokens: int) -> None:
        """That many tokens more were trained on."""
        self._tokens += tokens

    def tokens_per_second(self, *, now: bool = False) -> float | None:
        """Throughput since it was last asked for and given; None while it is too early to say."""
        seconds = time.monotonic() - self._measured_from
        if not self._tokens or (seconds < SPEED_SECONDS and not now):
            return None
        speed = self._tokens / max(seconds, 1e-6)
        self._tokens, self._measured_from = 0, time.monotonic()
        return speed
