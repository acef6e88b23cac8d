"""How a run's status looks: a symbol, a word and a colour, so that any one of them may be missing."""

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
"""How a running run is shown that seems to stand still. The store has no such status: it may go on."""


def mark(status: str) -> Mark:
    """The mark of a status; an unknown one (from a newer version) gets `?`."""
    return MARKS.get(status, Mark("?", ""))
