"""The search line of the log, which also shows the number of the match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from workbench.text import printable
from workbench.tui.actions import bindings


class LogSearch(Horizontal):
    """Hidden until it is opened; Escape closes it."""

    DEFAULT_CSS = """
    LogSearch { height: 1; display: none; }
    LogSearch.-open { display: block; }
    LogSearch > .sign { width: 2; text-style: bold; }
    LogSearch > Input { width: 1fr; background: $surface; }
    LogSearch > Input:focus { background: $primary-muted; }
    LogSearch > Input:ansi { text-style: underline; }
    LogSearch > .place { width: auto; padding-left: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("live.search")

    @dataclass
    class Wanted(Message):
        """Search for `text`."""

        text: str

    class Closed(Message):
        """The search ended."""

    def compose(self) -> ComposeResult:
        yield Static("/", classes="sign", markup=False)
        field = Input(compact=True, placeholder="search the log; Enter finds", max_length=200)
        field.cursor_blink = False
        yield field
        yield Static("", classes="place", markup=False)

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self) -> None:
        """Show and focus it."""
        self.add_class("-open")
        field = self.query_one(Input)
        field.select_all()
        field.focus()

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")
        self.tell("")

    def tell(self, place: str) -> None:
        """Show the number of the match, or that there is none."""
        self.query_one(".place", Static).update(printable(place))

    def action_close(self) -> None:
        self.close()
        self.post_message(self.Closed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Wanted(event.value))
