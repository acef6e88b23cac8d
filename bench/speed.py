"""Training speed of several sides in one sitting: they take turns, round after round."""

from __future__ import annotations

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
ATTEMPTS = 3
PATIENCE_SECONDS = 20.0
"""How long to wait before a turn for other programs to be done."""


@dataclass(frozen=True)
class Entry:
    """One side of a comparison: its name in the table, its name in bench.side, and its options there."""

    name: str
    side: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How much of it: steps in a turn, and rounds that count, after a warm-up turn that does not."""

    model: str
    batch_size: int
    steps: int
    rounds: int
    warmup_steps: int = 1


@dataclass
class Measured:
    """What one side did. `rates`: tokens per second, one for each round. `disturbances`: see Turn."""

    name: str
    rates: list[float] = field(default_factory=list)
    disturbances: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens_per_second(self) -> float:
        return statistics.median(self.rates)


def compare(entries: Sequence[Entry], plan: Plan, folder: Path) -> dict[str, Measured]:
    """Let the sides take turns. Each round goes through them in the opposite order of the one before."""
    sides: dict[str, Side] = {}
    results = {entry.name: Measured(entry.name) for entry in entries}
    try:
        for entry in entries:
            arguments = ["-m", "bench.side", entry.side, str(folder), plan.model, str(plan.batch_size)]
            sides[entry.name] = Side(entry.name, [*arguments, *entry.options], folder)
            sides[entry.name].turn(plan.warmup_steps)
            say(f"  {plan.model}, {entry.name}: ready")
        order = list(sides.items())
        tokens = plan.steps * plan.batch_size * CHUNK_SIZE
        for number in range(plan.rounds):
            for name, side in order:
                turn = quiet_turn(side, plan.steps)
                results[name].rates.append(tokens / turn.seconds)
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


def quiet_turn(side: Side, steps: int) -> Turn:
    """A turn that no other program disturbed; of several attempts, the one that was disturbed least."""
    best: Turn | None = None
    for _ in range(ATTEMPTS):
        wait_for_quiet()
        turn = side.turn(steps)
        if best is None or turn.disturbance < best.disturbance:
            best = turn
        if best.disturbance <= QUIET:
            break
    assert best
    return best


def wait_for_quiet(patience: float = PATIENCE_SECONDS) -> None:
    """Wait until the machine has nothing to do; all sides wait for their turn meanwhile."""
    until = time.monotonic() + patience
    while psutil.cpu_percent(interval=0.3) > 100 * QUIET and time.monotonic() < until:
        pass


def ratio(ours: Measured, theirs: Measured) -> float:
    """How many times as fast: the median of the rounds' ratios, each of two turns that were close in time."""
    return statistics.median(a / b for a, b in zip(ours.rates, theirs.rates, strict=True))


def say(text: str) -> None:
    """A line for whoever waits."""
    print(text, file=sys.stderr, flush=True)
