"""How a run's status looks: a symbol, a word and a colour, so that it is clear without any one of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """`style` is a Rich style of the 16 colours that every terminal has."""

    symbol: str
    style: str


MARKS: dict[str, Mark] = {
    "queued": Mark("○", "cyan"),
    "running": Mark("▶", "bold bright_green"),
    "stalled": Mark("‖", "bold yellow"),
    "finished": Mark("✓", "green"),
    "stopped": Mark("■", "yellow"),
    "failed": Mark("✗", "bold bright_red"),
    "crashed": Mark("!", "bold bright_red"),
}

STALLED = "stalled"
"""How a running run that seems to stall is shown. The store has no such status: the run may continue."""


def mark(status: str) -> Mark:
    """The mark of a status; an unknown one (from a newer version) gets `?`."""
    return MARKS.get(status, Mark("?", ""))
