"""The help page of a screen: its purpose and its keys."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from workbench.tui.actions import Key, bindings, keys_of


class Help(ModalScreen[None]):
    """Drawn from the bindings of the screen below, so it is never out of date."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = bindings("help")

    def __init__(self, title: str, text: str, keys: list[Key]) -> None:
        super().__init__()
        self._title, self._text, self._keys = title, text, keys

    @classmethod
    def of(cls, screen: Screen[object]) -> Help:
        """The page for `screen`: its HELP, and its bindings with their tooltips."""
        return cls(screen.TITLE or "Help", getattr(screen, "HELP", ""), keys_of(screen))

    def compose(self) -> ComposeResult:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for key in self._keys:
            table.add_row(Text(" ".join(key.keys)), Text(key.what))
        with VerticalScroll(id="page"):
            yield Static(self._title, id="title", markup=False)
            yield Static(unwrapped(self._text), id="text", markup=False)
            yield Static(table)
            yield Static("Esc or ? closes this page.", id="end", markup=False)

    def action_close(self) -> None:
        self.dismiss()

    def action_scroll_by(self, lines: int) -> None:
        self.query_one("#page").scroll_relative(y=lines, animate=False)


def unwrapped(text: str) -> str:
    """Each paragraph on one line, to be wrapped to the width of the page."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
