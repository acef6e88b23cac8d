"""Training speed of several sides in one sitting: they take turns, round after round."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.turns import Side, Turn

CHUNK_SIZE = 128
QUIET = 0.06
"""A turn counts when other programs used at most this share of the machine meanwhile; else it is repeated."""
PATIENCE_SECONDS = 120.0
"""How long to wait, in all, for other programs to be done, and to repeat turns that they disturbed."""


@dataclass(frozen=True)
class Entry:
    """One side of a comparison: its name in the table, its name in bench.side, and its options there."""

    name: str
    side: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How much of it: how long a turn should be, and the rounds that count, after a warm-up that does not.

    A turn is as many whole steps as fit into `seconds` at the speed of the warm-up, at least one.
    """

    model: str
    batch_size: int
    seconds: float
    rounds: int
    warmup_steps: int = 1


@dataclass
class Measured:
    """What one side did. `rates`: tokens per second, one for each round.

    `cpu_rates`: per second of processor time, which says more where others disturb. `disturbances`: see Turn.
    """

    name: str
    rates: list[float] = field(default_factory=list)
    cpu_rates: list[float] = field(default_factory=list)
    disturbances: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens_per_second(self) -> float:
        return statistics.median(self.rates)


def compare(entries: Sequence[Entry], plan: Plan, folder: Path) -> dict[str, Measured]:
    """Let the sides take turns. Each round goes through them in the opposite order of the one before."""
    sides: dict[str, Side] = {}
    steps: dict[str, int] = {}
    results = {entry.name: Measured(entry.name) for entry in entries}
    try:
        for entry in entries:
            arguments = ["-m", "bench.side", entry.side, str(folder), plan.model, str(plan.batch_size)]
            sides[entry.name] = Side(entry.name, [*arguments, *entry.options], folder)
            warmup = sides[entry.name].turn(plan.warmup_steps)
            steps[entry.name] = max(1, round(plan.seconds * plan.warmup_steps / warmup.seconds))
            say(f"  {plan.model}, {entry.name}: ready")
        order = list(sides.items())
        for number in range(plan.rounds):
            for name, side in order:
                turn = quiet_turn(side, steps[name])
                tokens = steps[name] * plan.batch_size * CHUNK_SIZE
                results[name].rates.append(tokens / turn.seconds)
                results[name].cpu_rates.append(tokens / turn.cpu_seconds)
                results[name].disturbances.append(turn.disturbance)
                say(
                    f"  {plan.model}, round {number + 1}, {name}: {tokens / turn.seconds:,.0f} tokens/s"
                    + (
                        f" (others used {turn.disturbance:.0%} of the machine)"
                        if turn.disturbance > QUIET
                        else ""
                    )
                )
            order.reverse()
        for name, side in sides.items():
            facts = side.end()
            results[name].peak_bytes = facts.pop("peak_bytes")
            results[name].facts = facts
    finally:
        for side in sides.values():
            side.kill()
    return results


class _Patience:
    """The seconds that are left to spend on a quiet machine."""

    def __init__(self) -> None:
        self.left = float(os.environ.get("BENCH_PATIENCE", PATIENCE_SECONDS))


_patience = _Patience()


def quiet_turn(side: Side, steps: int) -> Turn:
    """A turn that no other program disturbed; when patience ends, the one that was disturbed least."""
    wait_for_quiet()
    best = side.turn(steps)
    while best.disturbance > QUIET and _patience.left > 0:
        wait_for_quiet()
        again = side.turn(steps)
        _patience.left -= again.seconds
        best = min(best, again, key=lambda turn: turn.disturbance)
    return best


def wait_for_quiet() -> None:
    """Wait until the machine has nothing to do; all sides wait for their turn meanwhile."""
    while _patience.left > 0:
        began = time.monotonic()
        if psutil.cpu_percent(interval=0.3) <= 100 * QUIET:
            return
        _patience.left -= time.monotonic() - began


def ratio(ours: Measured, theirs: Measured) -> float:
    """How many times as fast: the median of the rounds' ratios, each of two turns that were close in time."""
    return statistics.median(a / b for a, b in zip(ours.rates, theirs.rates, strict=True))


def say(text: str) -> None:
    """A line for whoever waits."""
    print(text, file=sys.stderr, flush=True)
