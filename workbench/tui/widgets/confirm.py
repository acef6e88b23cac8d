"""A dialog that asks before something is lost."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from workbench.text import printable
from workbench.tui.actions import bindings


class Confirm(ModalScreen[bool]):
    """A question that only `y` answers with yes; every other key that leaves it means no."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm")

    def __init__(self, question: str, consequence: str) -> None:
        super().__init__()
        self._question = printable(question)
        self._consequence = printable(consequence)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._question, id="question", markup=False)
            yield Static(self._consequence, id="consequence", markup=False)
            yield Static("y  yes      n  no", id="answers", markup=False)

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
