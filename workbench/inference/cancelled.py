"""Work that can be taken back while it is done."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[], None]
"""Called between two passes of a model; raises Withdrawn to end the work."""


class Withdrawn(Exception):
    """Nobody waits for the answer any more."""


def go_on() -> None:
    """The check of work that nobody takes back."""
