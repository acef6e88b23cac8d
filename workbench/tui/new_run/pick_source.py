"""A picker of models or datasets on this machine."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType

from workbench.store import Store
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.widgets.picker import Picker, contains, name_and_note
from workbench.tui.widgets.sources import Kind, Source, inside, is_path, known


class PickSource(Picker[Source, str | None]):
    """Type a filter or a path, and choose among the matches. Returns the field's new value."""

    PLACEHOLDER = "part of a name, or a path: ./ ~/ /"
    KEYS = "↑↓ move   Enter choose   Tab complete   Esc back"
    BINDINGS: ClassVar[list[BindingType]] = bindings("form.source")

    def __init__(self, kind: Kind, store: Store) -> None:
        super().__init__(kind.capitalize())
        self._kind: Kind = kind
        self._store = store
        self._known: list[Source] = []

    async def on_mount(self) -> None:
        self._known = await asyncio.to_thread(known, self._kind, self._store)
        self.offer()

    def matches(self, typed: str) -> tuple[list[Source], str]:
        if is_path(typed):
            fitting = inside(self._kind, typed)
        else:
            fitting = [source for source in self._known if contains(f"{source.value} {source.note}", typed)]
        nothing = "Nothing here has that name. Enter takes it as typed." if typed else "Looking…"
        return fitting, "" if fitting else nothing

    def row(self, item: Source, width: int) -> Text:
        name = printable(item.value) + ("/" if item.opens else "")
        return name_and_note(name, item.note, width, max(width * 3 // 5, 10), is_path=True)

    def action_complete(self) -> None:
        """Complete the line with the highlighted name; a folder is opened."""
        if current := self.current:
            self.put(current.value.rstrip("/") + ("/" if current.opens else ""))

    def choose(self, item: Source | None, typed: str) -> None:
        if item and item.opens:
            self.action_complete()
        elif item or typed:
            self.dismiss(item.value if item else typed)
