"""A picker of earlier sentences, searched by any part."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import BindingType

from workbench.display import numbers
from workbench.errors import WorkbenchError
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.widgets.picker import Picker, contains

if TYPE_CHECKING:
    from workbench.store import Store

_MOST = 1000
NOTHING_YET = "No sentences yet: what you type in the console is kept here."
NOTHING_FITS = "No sentence contains these words."


class PickLine(Picker[str, str | None]):
    """Newest first, without repeats. Returns the text, which goes into the input line."""

    PLACEHOLDER = "any part of it"
    BINDINGS: ClassVar[list[BindingType]] = bindings("console.pick_history")

    def __init__(self, store: Store) -> None:
        super().__init__("Earlier sentences")
        self._store = store
        self._model_of: dict[str, str] = {}

    async def on_mount(self) -> None:
        try:
            fills = await asyncio.to_thread(self._store.fills, _MOST)
        except WorkbenchError as error:
            self.tell(f"{error.message} {error.hint}")
            return
        for fill in fills:
            self._model_of.setdefault(fill.text, fill.model)
        self.offer()

    def matches(self, typed: str) -> tuple[list[str], str]:
        texts = [text for text in self._model_of if contains(text, typed)]
        return texts, "" if texts else NOTHING_FITS if self._model_of else NOTHING_YET

    def row(self, item: str, width: int) -> Text:
        room = min(24, width // 3)
        row = Text(numbers.fit(printable(item), width - room - 2), no_wrap=True, end="")
        return row.append("  ").append(numbers.clip(printable(self._model_of[item]), room), "dim")

    def choose(self, item: str | None, typed: str) -> None:
        self.dismiss(item)
