"""The console at the bottom of any screen, which stays live above it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.console.mask_console import MaskConsole


class ConsoleDock(MaskConsole):
    """Tab moves the focus between it and the screen."""

    DEFAULT_CSS = """
    ConsoleDock { height: 50%; min-height: 9; border-top: heavy $primary; }
    ConsoleDock:ansi { border-top: heavy ansi_default; }
    ConsoleDock #line, ConsoleDock #line:ansi { border: none; height: 1; background: $surface; }
    ConsoleDock #line:ansi { text-style: underline; }
    ConsoleDock #words, ConsoleDock #words:ansi { border: none; height: 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("console.dock")

    def on_mount(self) -> None:
        self.take_focus()

    def on_mask_console_described(self, event: MaskConsole.Described) -> None:
        event.stop()
        self.border_title = printable(
            " · ".join(("Fill masks", *event.parts, "F5 closes", "Tab to the screen"))
        )

    def on_mask_console_left(self, event: MaskConsole.Left) -> None:
        event.stop()
        self.close()

    def close(self) -> None:
        """Remove it; the session is kept."""
        screen = self.screen
        self.remove()
        screen.call_after_refresh(_focus_first, screen)


def _focus_first(screen: Screen[object]) -> None:
    """Give the focus back to the screen's first widget."""
    if screen.focused is None:
        screen.focus_next()
