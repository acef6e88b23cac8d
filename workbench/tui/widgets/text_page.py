"""A text to read on a page of its own, such as a job's script."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from workbench.text import printable
from workbench.tui.actions import bindings


class TextPage(ModalScreen[None]):
    """Shows a text as it is, to be scrolled and closed."""

    DEFAULT_CSS = """
    TextPage { align: center middle; }
    TextPage #page { width: 100%; height: 100%; padding: 0 1; background: $surface; }
    TextPage #title { text-style: bold; }
    TextPage #end { color: $text-muted; }
    """
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = bindings("text")

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield Static(printable(self._title), id="title", markup=False)
            yield Static(printable(self._text, keep_newlines=True), id="text", markup=False)
            yield Static("Esc closes this page.", id="end", markup=False)

    def action_close(self) -> None:
        self.dismiss()

    def action_scroll_by(self, lines: int) -> None:
        self.query_one("#page").scroll_relative(y=lines, animate=False)
