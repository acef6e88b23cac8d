"""The base of every screen: a title line, and reading the store on a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any, ClassVar, cast

from rich.text import Text
from textual import work
from textual.app import SystemCommand
from textual.screen import Screen
from textual.widgets import Static

from workbench.display import numbers
from workbench.errors import WorkbenchError
from workbench.text import printable
from workbench.tui.host import Host


class TitleBar(Static):
    """The top line: the screen's name on the left, key facts on the right."""

    DEFAULT_CSS = """
    TitleBar { dock: top; height: 1; padding: 0 1; text-wrap: nowrap; }
    TitleBar { background: $panel; color: $foreground; }
    TitleBar:ansi { text-style: reverse; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._shown: tuple[str, ...] = ()
        self._width = 0

    def show(self, left: str, *right: str) -> None:
        """Show the left part in bold, and as many of the right parts as fit, first ones first."""
        width = self.size.width or self.app.size.width - 2
        if ((left, *right), width) == (self._shown, self._width):
            return
        self._shown, self._width = (left, *right), width
        text = Text(numbers.clip(printable(left), width), style="bold", no_wrap=True, end="")
        room = width - text.cell_len - 2
        parts = [printable(part) for part in right]
        while parts and numbers.cell_len(" · ".join(parts)) > room:
            parts.pop()
        if parts:
            text.append("  " + numbers.fit(" · ".join(parts), room, "right"), "not bold")
        self.update(text)

    def on_resize(self) -> None:
        if self._shown:
            self.show(*self._shown)


class WorkbenchScreen(Screen[None]):
    """A screen that shows data from the store. Subclasses give `read` (on a thread) and `show`."""

    HELP: ClassVar[str] = ""
    """A few lines for the help page; the keys are added from the bindings."""

    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._reading = False
        self._again = False

    @property
    def workbench(self) -> Host:
        """The app, as a screen sees it."""
        return cast(Host, self.app)

    def read(self) -> Any:
        """Read from the store. Runs on a thread and must not touch a widget."""

    def show(self, data: Any) -> None:
        """Show what `read` returned."""

    def commands(self) -> Iterable[SystemCommand]:
        """Palette commands besides the keys."""
        return ()

    def on_mount(self) -> None:
        if self.workbench.is_open:  # if not, the app reloads the screen once it is
            self.reload()

    def on_screen_resume(self) -> None:
        # Before it is mounted it has no widgets to show anything on.
        if self.is_mounted and self.workbench.is_open:
            self.reload()

    def reload(self) -> None:
        """Read again and show. Calls during a read lead to one more read."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._reload()

    @work(group="reload")
    async def _reload(self) -> None:
        try:
            while True:
                self._again = False
                data = await asyncio.to_thread(self.read)
                if self.is_attached and self.is_running and self.children:  # not while it is being removed
                    self.show(data)
                if not self._again:
                    break
        except WorkbenchError as error:
            self.tell_error(error)
        finally:
            self._reading = False

    @work(group="action")
    async def in_background(self, job: Callable[[], Awaitable[None]], changes: Collection[int] = ()) -> None:
        """Do `job`, then read the store again; a WorkbenchError becomes a toast.

        `changes`: the runs that `job` changes. Every screen is told when it is done, because a read that
        began earlier would show the old state.
        """
        try:
            await job()
        except WorkbenchError as error:
            self.tell_error(error)
        for screen in self.app.screen_stack:
            if isinstance(screen, WorkbenchScreen):
                screen.touched(changes)
        self.reload()

    def touched(self, run_ids: Collection[int]) -> None:
        """These runs were changed here: the next read must fetch them again."""

    def tell_error(self, error: WorkbenchError) -> None:
        """Show a toast with the error and its hint."""
        self.app.notify(
            printable(error.hint or ""),
            title=printable(error.message),
            severity="error",
            timeout=10,
            markup=False,
        )

    def tell(self, text: str, *, warning: bool = False) -> None:
        """Show a toast; `text` is never markup."""
        self.app.notify(printable(text), severity="warning" if warning else "information", markup=False)

    def action_help(self) -> None:
        self.workbench.open_help()
