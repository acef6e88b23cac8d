"""The form's row for how many processes train the run, beside the device. It is no part of the recipe."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from workbench.tui.widgets.inputs import NumberInput

ABOUT = (
    "Processes that train the run together, one per GPU; the batch is shared by them.\n"
    "It is no part of the recipe: a run means the same on any number."
)


class ProcessesRow(Horizontal):
    """An input for a number, or nothing for auto."""

    def __init__(self) -> None:
        super().__init__(classes="row")

    def compose(self) -> ComposeResult:
        yield Static("Processes", classes="title", markup=False)
        field = NumberInput(compact=True, placeholder="auto", max_length=4, restrict="[0-9]*", id="processes")
        field.cursor_blink = False
        yield field
        yield Static("auto: one per GPU, of a sweep 1", classes="hint", markup=False)

    @property
    def count(self) -> int | None:
        """The number; None for auto, and while the row is not shown yet."""
        text = self.query_one(NumberInput).value if self.is_mounted else ""
        return int(text or 0) or None
