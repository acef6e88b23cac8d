"""A dialog that asks for one line, such as a run's name, tags or note."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.widgets.inputs import TextInput


class AskLine(ModalScreen[str | None]):
    """Enter returns the line; Escape returns None."""

    CSS_PATH = "ask_line.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("ask")

    def __init__(self, question: str, value: str, hint: str) -> None:
        super().__init__()
        self._question, self._value, self._hint = printable(question), value, hint

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._question, id="question", markup=False)
            line = TextInput(self._value, compact=True, select_on_focus=False)
            line.cursor_blink = False
            yield line
            yield Static(self._hint, id="hint", markup=False)
            yield Static("Enter  save      Esc  cancel", id="answers", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)
