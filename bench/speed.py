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

    A turn is as many whole steps as fit into `seconds` at the speed of the warm-up, at least one. `together`:
    all sides stay in memory from round to round; else each is started afresh in each round, so that no more
    than one of them needs memory at a time.
    """

    model: str
    batch_size: int
    seconds: float
    rounds: int
    warmup_steps: int = 1
    together: bool = True


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
    results = {entry.name: Measured(entry.name) for entry in entries}
    sides: dict[str, _Ready] = {}
    try:
        order = list(entries)
        for number in range(plan.rounds):
            for entry in order:
                side = sides.get(entry.name) or _start(entry, plan, folder)
                sides[entry.name] = side
                turn = quiet_turn(side.process, side.steps)
                _note(results[entry.name], turn, side.steps, plan, number)
                if not plan.together or number == plan.rounds - 1:
                    facts = sides.pop(entry.name).process.end()
                    results[entry.name].peak_bytes = facts.pop("peak_bytes")
                    results[entry.name].facts = facts
            order.reverse()
    finally:
        for side in sides.values():
            side.process.kill()
    return results


@dataclass(frozen=True)
class _Ready:
    """A side that has warmed up, and how many steps make a turn for it."""

    process: Side
    steps: int


def _start(entry: Entry, plan: Plan, folder: Path) -> _Ready:
    arguments = ["-m", "bench.side", entry.side, str(folder), plan.model, str(plan.batch_size)]
    process = Side(entry.name, [*arguments, *entry.options], folder)
    try:
        wait_for_quiet()
        warmup = process.turn(plan.warmup_steps)
    except BaseException:
        process.kill()
        raise
    return _Ready(process, max(1, round(plan.seconds * plan.warmup_steps / warmup.seconds)))


def _note(measured: Measured, turn: Turn, steps: int, plan: Plan, number: int) -> None:
    tokens = steps * plan.batch_size * CHUNK_SIZE
    measured.rates.append(tokens / turn.seconds)
    measured.cpu_rates.append(tokens / turn.cpu_seconds)
    measured.disturbances.append(turn.disturbance)
    others = f" (others used {turn.disturbance:.0%} of the machine)" if turn.disturbance > QUIET else ""
    say(f"  {plan.model}, round {number + 1}, {measured.name}: {tokens / turn.seconds:,.0f} tokens/s{others}")


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
