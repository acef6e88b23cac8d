"""How a run's status looks: a symbol, a word and a colour, so that it is clear without any one of them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.status import Status, SweepState


@dataclass(frozen=True, slots=True)
class Mark:
    """`style` is a Rich style of the 16 colours that every terminal has."""

    symbol: str
    style: str


STALLED = "stalled"
"""How a running run that seems to stall is shown. The store has no such status: the run may continue."""
DIVERGED = "diverged"
"""How a run is shown that ended with a higher perplexity than it began with. In the store it is finished."""
MARKS: dict[str, Mark] = {
    Status.QUEUED: Mark("○", "cyan"),
    Status.RUNNING: Mark("▶", "bold bright_green"),
    STALLED: Mark("‖", "bold yellow"),
    Status.FINISHED: Mark("✓", "green"),
    Status.STOPPED: Mark("■", "yellow"),
    Status.FAILED: Mark("✗", "bold bright_red"),
    Status.CRASHED: Mark("!", "bold bright_red"),
    DIVERGED: Mark("↑", "bold yellow"),
}


def sweep_word(state: str) -> str:
    """A sweep's state as a word; the store calls a running sweep `going`."""
    return "running" if state == SweepState.RUNNING else state


def mark(status: str) -> Mark:
    """The mark of a status; an unknown one (from a newer version) gets `?`."""
    return MARKS.get(status, Mark("?", ""))
