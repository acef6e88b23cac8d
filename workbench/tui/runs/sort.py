"""A dialog that asks by which column to sort the list of runs."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from workbench.tui.actions import bindings
from workbench.tui.runs.columns import COLUMNS
from workbench.tui.runs.header import DOWN, UP
from workbench.tui.widgets.picker import Choose


class SortBy(Choose):
    """Returns the column's key. The cursor starts on the present one."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("runs.sort")

    def __init__(self, key: str, descending: bool) -> None:
        arrow = DOWN if descending else UP
        options = {column.key: f"{arrow if column.key == key else ' '} {column.what}" for column in COLUMNS}
        super().__init__("Sort by", options, "sort", key)
