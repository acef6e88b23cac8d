"""A dialog that asks which of a recipe's runs is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from workbench.text import printable
from workbench.tui.actions import bindings


class PickRun(ModalScreen[int | None]):
    """Returns the run's id. `runs`: a description of each."""

    CSS_PATH = "pick_run.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("sweep.pick_run")

    def __init__(self, runs: Mapping[int, str]) -> None:
        super().__init__()
        self._runs = runs

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Which run?", id="question", markup=False)
            options = [
                Option(Text(f" run {printable(text)}"), id=str(run)) for run, text in self._runs.items()
            ]
            yield OptionList(*options, id="choices", markup=False)
            yield Static("Enter  open     Esc  back", id="answers", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(int(str(event.option_id)))

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        choices.highlighted = ((choices.highlighted or 0) + by) % len(self._runs)

    def action_leave(self) -> None:
        self.dismiss(None)
