"""What the tests of the screens share: a clock, made-up measurements, and waiting."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from textual.app import App
from textual.pilot import Pilot

from workbench.store import MetricValue, Store

NOW = 1_800_000_000.0
"""What the clock says in every test."""
HOST = "testbox"


def losses(steps: int) -> list[tuple[int, float]]:
    """A made-up train loss: falls from about 8, with a ripple."""
    return [
        (i, math.log(45 + 3400 * math.exp(-i / 20)) + 0.1 * math.sin(i * 1.7)) for i in range(1, steps + 1)
    ]


async def settle(pilot: Pilot[None]) -> None:
    """Let readings of the store that are under way come to the screen."""
    for _ in range(3):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def until(pilot: Pilot[None], true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that another process does. Fails when it does not come."""
    for _ in range(int(seconds * 10)):
        if true():
            return
        await pilot.pause(0.1)
    raise AssertionError(f"It did not come within {seconds:.0f} s.")


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Type as a person would."""
    names = {
        " ": "space",
        "[": "left_square_bracket",
        "]": "right_square_bracket",
        ".": "full_stop",
        "?": "question_mark",
    }
    await pilot.press(*(names.get(letter, letter) for letter in text))
    await asyncio.sleep(0)


def toasts(app: App[None]) -> list[str]:
    """What was said in passing."""
    return [notification.message for notification in app._notifications]


def screen_text(pilot: Pilot[None]) -> str:
    """All that is on the screen, as plain text."""
    width, _ = pilot.app.size
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip)[:width].rstrip() for strip in strips)


def add_points(store: Store, run_id: int, name: str, points: list[tuple[int, float]]) -> None:
    """Store a metric of a run, as its worker does."""
    store.add_metrics(
        run_id, store.run(run_id).segment, [MetricValue(name, s, s / 148, v) for s, v in points]
    )
