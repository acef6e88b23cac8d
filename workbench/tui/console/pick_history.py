"""A picker of earlier sentences, searched by any part."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.display import numbers
from workbench.errors import WorkbenchError
from workbench.text import printable
from workbench.tui.actions import bindings

if TYPE_CHECKING:
    from workbench.store import Store

_MOST = 1000
NOTHING_YET = "No sentences yet: what you type in the console is kept here."
NOTHING_FITS = "No sentence contains these words."


class PickLine(ModalScreen[str | None]):
    """Newest first, without repeats. Returns the text, which goes into the input line."""

    CSS_PATH = "pick_model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("console.pick_history")

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._all: dict[str, str] = {}
        self._offered: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Earlier sentences", id="title", markup=False)
            line = Input(compact=True, placeholder="any part of it", id="filter")
            line.cursor_blink = False
            yield line
            yield OptionList(id="choices", markup=False)
            yield Static("", id="empty", markup=False)
            yield Static("↑↓ move   Enter choose   Esc back", id="keys", markup=False)

    async def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        try:
            fills = await asyncio.to_thread(self._store.fills, _MOST)
        except WorkbenchError as error:
            self.query_one("#empty", Static).update(printable(f"{error.message} {error.hint}"))
            return
        for fill in fills:
            self._all.setdefault(fill.text, fill.model)
        self._offer(self.query_one(Input).value)

    def _offer(self, typed: str) -> None:
        parts = typed.lower().split()
        self._offered = [text for text in self._all if all(part in text.lower() for part in parts)]
        choices = self.query_one(OptionList)
        width = max(choices.size.width - 3, 10)
        choices.clear_options()
        choices.add_options([Option(_row(text, self._all[text], width)) for text in self._offered])
        choices.highlighted = 0 if self._offered else None
        nothing = NOTHING_FITS if self._all else NOTHING_YET
        self.query_one("#empty", Static).update("" if self._offered else nothing)

    def on_resize(self) -> None:
        self._offer(self.query_one(Input).value)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._offer(event.value)

    def on_input_submitted(self) -> None:
        at = self.query_one(OptionList).highlighted
        self.dismiss(None if at is None else self._offered[at])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._offered[event.option_index])

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        if self._offered:
            choices.highlighted = min(max((choices.highlighted or 0) + by, 0), len(self._offered) - 1)

    def action_leave(self) -> None:
        self.dismiss(None)


def _row(text: str, model: str, width: int) -> Text:
    room = min(24, width // 3)
    row = Text(numbers.fit(printable(text), width - room - 2), no_wrap=True, end="")
    return row.append("  ").append(numbers.clip(printable(model), room), "dim")
