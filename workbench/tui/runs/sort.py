"""A dialog that asks by which column to sort the list of runs."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from workbench.tui.actions import bindings
from workbench.tui.runs.columns import COLUMNS
from workbench.tui.runs.header import DOWN, UP


class SortBy(ModalScreen[str | None]):
    """Returns the column's key. The cursor starts on the present one."""

    CSS_PATH = "sort.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("runs.sort")

    def __init__(self, key: str, descending: bool) -> None:
        super().__init__()
        self._key, self._descending = key, descending

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Sort by", id="question", markup=False)
            options = []
            for column in COLUMNS:
                arrow = (DOWN if self._descending else UP) if column.key == self._key else " "
                options.append(Option(Text(f"{arrow} {column.what}"), id=column.key))
            yield OptionList(*options, id="choices", markup=False)
            yield Static("Enter  sort     Esc  back", id="answers", markup=False)

    def on_mount(self) -> None:
        choices = self.query_one(OptionList)
        choices.highlighted = choices.get_option_index(self._key)
        choices.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        choices.highlighted = ((choices.highlighted or 0) + by) % len(COLUMNS)

    def action_leave(self) -> None:
        self.dismiss(None)
