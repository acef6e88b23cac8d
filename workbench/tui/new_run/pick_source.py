"""A picker of models or datasets on this machine."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.display import numbers
from workbench.store import Store
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.widgets.inputs import TextInput
from workbench.tui.widgets.sources import Kind, Source, inside, is_path, known

_TITLES: dict[Kind, str] = {"model": "Model", "dataset": "Text"}


class PickSource(ModalScreen[str]):
    """Type a filter or a path, and choose among the matches. Returns the field's new value."""

    CSS_PATH = "pick_source.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = bindings("form.source")

    def __init__(self, kind: Kind, store: Store) -> None:
        super().__init__()
        self._kind: Kind = kind
        self._store = store
        self._known: list[Source] = []
        self._fitting: list[Source] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(_TITLES[self._kind], id="title", markup=False)
            field = TextInput(compact=True, placeholder="part of a name, or a path: ./ ~/ /", max_length=4096)
            field.cursor_blink = False
            yield field
            yield OptionList(id="found", markup=False)
            yield Static("", id="empty", markup=False)
            yield Static("↑↓ move   Enter choose   Tab complete   Esc back", id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._look()

    @work(thread=True)
    def _look(self) -> None:
        found = known(self._kind, self._store)
        self.app.call_from_thread(self._take, found)

    def _take(self, found: list[Source]) -> None:
        self._known = found
        self._fill(self.query_one(Input).value)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def on_resize(self) -> None:
        self._fill(self.query_one(Input).value)

    def _fill(self, typed: str) -> None:
        wanted = typed.strip()
        if is_path(wanted):
            fitting = inside(self._kind, wanted)
        else:
            parts = wanted.lower().split()
            fitting = [
                one for one in self._known if all(part in f"{one.value} {one.note}".lower() for part in parts)
            ]
        self._fitting = fitting
        options = self.query_one(OptionList)
        options.clear_options()
        width = max(options.size.width - 3, 10)
        options.add_options([Option(_line(one, width)) for one in fitting])
        options.highlighted = 0 if fitting else None
        nothing = "Nothing here has that name. Enter takes it as typed." if wanted else "Looking…"
        self.query_one("#empty", Static).update("" if fitting else nothing)

    @property
    def _chosen(self) -> Source | None:
        at = self.query_one(OptionList).highlighted
        return None if at is None or not self._fitting else self._fitting[at]

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        if self._fitting:
            options.highlighted = min(max((options.highlighted or 0) + by, 0), len(self._fitting) - 1)

    def action_complete(self) -> None:
        """Complete the line with the highlighted name; a folder is opened."""
        if self._chosen:
            field = self.query_one(Input)
            field.value = self._chosen.value.rstrip("/") + ("/" if self._chosen.opens else "")
            field.cursor_position = len(field.value)

    def on_input_submitted(self) -> None:
        self._choose()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.query_one(OptionList).highlighted = event.option_index
        self._choose()

    def _choose(self) -> None:
        typed = self.query_one(Input).value.strip()
        chosen = self._chosen
        if chosen and chosen.opens:
            self.action_complete()
        elif chosen:
            self.dismiss(chosen.value)
        elif typed:
            self.dismiss(typed)


def _line(source: Source, width: int) -> Text:
    """Name and note in one line; a long name is cut at its start, which paths share."""
    name = printable(source.value) + ("/" if source.opens else "")
    room = max(width * 3 // 5, 10)
    if numbers.cell_len(name) > room:
        name = "…" + numbers.tail(name, room - 1)
    text = Text(numbers.fit(name, room) + "  ", no_wrap=True, end="")
    return text.append(numbers.clip(printable(source.note), width - room - 2), "dim")
