"""A dialog that asks for a preset's name."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from workbench import presets
from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.text import printable
from workbench.tui.actions import bindings


class SavePreset(ModalScreen[str]):
    """Saves the recipe and returns the name, or None. Mistakes are shown at the line."""

    CSS_PATH = "save_preset.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = bindings("form.save")

    def __init__(self, recipe: Recipe, name: str) -> None:
        super().__init__()
        self._recipe = recipe
        self._proposed = name

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Save as a preset", id="title", markup=False)
            field = Input(self._proposed, compact=True, placeholder="name", max_length=60)
            field.cursor_blink = False
            yield field
            yield Static("", id="said", markup=False)
            yield Static("Enter save   Esc back", id="keys", markup=False)

    def on_mount(self) -> None:
        self._tell(self._proposed)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._tell(event.value)

    def _tell(self, name: str) -> None:
        exists = name.strip() in presets.saved()
        said = "This replaces the preset of that name." if exists else f"In {presets.presets_folder()}"
        self.query_one("#said", Static).update(printable(said))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        try:
            presets.save(name, self._recipe)
        except UsageError as error:
            self.query_one("#said", Static).update(f"✗ {printable(str(error))}")
            return
        self.dismiss(name)
