"""Shows the console at the bottom of the screen in front, or full screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.widgets import Footer

from workbench.tui.console.dock import ConsoleDock
from workbench.tui.console.screen import ConsoleScreen
from workbench.tui.console.session import Session
from workbench.tui.host import Host
from workbench.tui.screen import WorkbenchScreen

if TYPE_CHECKING:
    from workbench.store import Run, Store


class Docking:
    """Holds the console's session, and shows it in one place at a time."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self.session: Session | None = None
        """What the console queries and shows, once it was opened."""

    def begin(self, run: Run | None) -> Session:
        """The session about `run`: as it was left if it was the last one, else a new one."""
        session = self.session
        if session is None or run is None or session.subject is None or session.subject.run_id != run.id:
            self.session = session = Session.about(run)
        return session

    async def toggle(self) -> None:
        """Open the dock on the screen in front; focus it when it is open; close it when it has the focus."""
        screen = self._app.screen
        if not isinstance(screen, WorkbenchScreen) or isinstance(screen, ConsoleScreen):
            return
        dock = next(iter(screen.query(ConsoleDock)), None)
        if dock is None:
            session = await self._as_left()
            self._close_docks()
            footer = next(iter(screen.query(Footer)), None)
            await screen.mount(ConsoleDock(session), before=footer)
        elif screen.focused and dock in screen.focused.ancestors_with_self:
            dock.close()
        else:
            dock.take_focus()

    async def open_full(self) -> None:
        """Show the console full screen, as it was left."""
        screen = self._app.screen
        if isinstance(screen, WorkbenchScreen) and not isinstance(screen, ConsoleScreen):
            session = await self._as_left()
            self._close_docks()
            await self._app.push_screen(ConsoleScreen(session))

    async def _as_left(self) -> Session:
        if self.session is None:
            store = cast(Host, self._app).store
            self.session = Session.about(await asyncio.to_thread(_newest, store))
        return self.session

    def _close_docks(self) -> None:
        """Close all docks: two would show two states of one session."""
        for screen in self._app.screen_stack:
            screen.query(ConsoleDock).remove()


def _newest(store: Store) -> Run | None:
    """The newest run that has a checkpoint."""
    saved = store.past.models(limit=1)
    return store.run(saved[0].id) if saved else None
