"""The line that filters runs as you type, with the number of matches or the mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from workbench.tui.actions import bindings


class RunFilterLine(Horizontal):
    """Hidden while there is no filter."""

    DEFAULT_CSS = """
    RunFilterLine { height: 1; display: none; padding: 0 1; }
    RunFilterLine.-open { display: block; }
    RunFilterLine #slash { width: 2; text-style: bold; }
    RunFilterLine Input { width: 1fr; min-width: 16; background: $panel; }
    RunFilterLine Input:ansi { background: ansi_default; text-style: underline; }
    RunFilterLine #found { width: auto; max-width: 65%; margin-left: 1; }
    RunFilterLine #found { text-wrap: nowrap; text-overflow: ellipsis; }
    RunFilterLine.-mistake #found { color: $error; text-style: bold; }
    RunFilterLine.-mistake:ansi #found { color: ansi_bright_red; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("runs.filter")

    @dataclass
    class Changed(Message):
        """The filter changed."""

        text: str

    class Left(Message):
        """The user left the line for the list."""

    def compose(self) -> ComposeResult:
        yield Static("/", id="slash", markup=False)
        line = Input(compact=True, placeholder="text status:finished chunk:128 ppl:<50 tag:x -model:y")
        line.cursor_blink = False
        yield line
        yield Static("", id="found", markup=False)

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    def open(self) -> None:
        """Show and focus the line."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def clear(self) -> None:
        """Remove the filter."""
        self.query_one(Input).value = ""
        self.remove_class("-open")

    def say(self, counted: str, mistake: str) -> None:
        """Show the number of matches, or the mistake."""
        self.set_class(bool(mistake), "-mistake")
        self.query_one("#found", Static).update(f"✗ {mistake}" if mistake else counted)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()

    def action_leave(self) -> None:
        if not self.text.strip():
            self.clear()
        self.post_message(self.Left())

    def action_clear(self) -> None:
        self.clear()
        self.post_message(self.Left())
