"""Brings the console up: at the bottom of the screen in front, or on a screen of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.widgets import Footer

from workbench.tui.asked import Session
from workbench.tui.screens.base import WorkbenchScreen

if TYPE_CHECKING:
    from workbench.store import Run, Store
    from workbench.tui.app import WorkbenchApp


def begin(app: WorkbenchApp, run: Run | None) -> Session:
    """The session about `run`: as it was left if it was the last one, else a new one."""
    session = app.session
    if session is None or run is None or session.subject is None or session.subject.run_id != run.id:
        app.session = session = Session.about(run)
    return session


async def toggle_dock(app: WorkbenchApp) -> None:
    """Open the dock on the screen in front; go to it when it is open; close it when one is in it."""
    from workbench.tui.screens.console import ConsoleScreen
    from workbench.tui.widgets.console_dock import ConsoleDock

    screen = app.screen
    if not isinstance(screen, WorkbenchScreen) or isinstance(screen, ConsoleScreen):
        return
    dock = next(iter(screen.query(ConsoleDock)), None)
    if dock is None:
        session = await _as_left(app)
        _close_docks(app)
        footer = next(iter(screen.query(Footer)), None)
        await screen.mount(ConsoleDock(session), before=footer)
    elif screen.focused and dock in screen.focused.ancestors_with_self:
        dock.close()
    else:
        dock.take_focus()


async def open_full(app: WorkbenchApp) -> None:
    """The console on a screen of its own, as it was left."""
    from workbench.tui.screens.console import ConsoleScreen

    if isinstance(app.screen, WorkbenchScreen) and not isinstance(app.screen, ConsoleScreen):
        session = await _as_left(app)
        _close_docks(app)
        await app.push_screen(ConsoleScreen(session))


async def _as_left(app: WorkbenchApp) -> Session:
    if app.session is None:
        app.session = Session.about(await asyncio.to_thread(_newest, app.store))
    return app.session


def _close_docks(app: WorkbenchApp) -> None:
    """Two of them would show two states of one session."""
    from workbench.tui.widgets.console_dock import ConsoleDock

    for screen in app.screen_stack:
        screen.query(ConsoleDock).remove()


def _newest(store: Store) -> Run | None:
    """The newest run that has a checkpoint."""
    found = store.past.models(limit=1)
    return store.run(found[0].id) if found else None
