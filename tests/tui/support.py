"""What the tests of the screens share: a clock, made-up measurements, and waiting."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection

from textual.app import App
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from workbench.store import MetricValue, Store

NOW = 1_800_000_000.0
"""What the clock says in every test."""
HOST = "testbox"


def losses(steps: int) -> list[tuple[int, float]]:
    """A made-up train loss: falls from about 8, with a ripple."""
    return [
        (i, math.log(45 + 3400 * math.exp(-i / 20)) + 0.1 * math.sin(i * 1.7)) for i in range(1, steps + 1)
    ]


SOON = 3.0
"""Seconds: a timer that fires once and sooner than this belongs to what is done, if it is not a toast's."""


async def settle(pilot: Pilot[None], *, besides: Collection[str] = (), seconds: float = 60) -> None:
    """Wait until nothing is under way: no message, no reading of the store, nothing that is to be drawn.

    Textual's own `Pilot.pause` takes a process for idle that gets little time from its machine, so that
    a busy machine changes what a test sees. `besides` names groups of workers that are not waited for.
    """
    end, quiet = time.monotonic() + seconds, 0
    while quiet < 3:
        await asyncio.sleep(0.005)
        busy = _under_way(pilot.app, besides)
        quiet = 0 if busy else quiet + 1
        assert time.monotonic() < end, f"After {seconds:.0f} s there is still: {busy}"
        if not busy:
            await pilot._wait_for_screen()
            pilot.app.screen._on_timer_update()


def _under_way(app: App[None], besides: Collection[str]) -> str:
    """What the program is still doing, or nothing."""
    for worker in app.workers:
        if not worker.is_finished and worker.group not in besides:
            return f"worker {worker.name}"
    for screen in app.screen_stack:
        if screen._callbacks:
            return f"callbacks of {screen}"
    for pump in (app, *app.screen_stack, *app.screen.walk_children()):
        if busy := _busy(pump):
            return f"{busy} of {pump}"
    if app.screen._layout_required or app.screen._dirty_widgets:
        return f"drawing of {app.screen}"
    return "animations" if app.animator._animations else ""


def _busy(pump: MessagePump) -> str:
    """What a widget, a screen or the app is still doing, or nothing."""
    queue = pump._message_queue
    waits = bool(queue.ready_event._waiters)  # type: ignore[attr-defined]
    if not queue.empty() or (pump.is_running and not waits):
        return "messages"
    if pump._next_callbacks:
        return "calls"
    for timer in list(pump._timers):
        task = timer._task
        soon = timer._repeat == 0 and timer._interval < SOON and timer._active.is_set()
        if soon and not isinstance(pump, Toast) and task is not None and not task.done():
            return "a timer"
    return ""


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
