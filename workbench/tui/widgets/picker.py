"""The base of dialogs in which a typed line filters a list."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.display import numbers
from workbench.text import printable
from workbench.tui.widgets.inputs import TextInput

Item = TypeVar("Item")
Result = TypeVar("Result")


class Picker(ModalScreen[Result], Generic[Item, Result]):
    """A filter line above a list. Subclasses give `matches`, `row` and `choose`, and call `offer` when they
    have new items.
    """

    DEFAULT_CSS = """
    Picker { align: center middle; }
    Picker #dialog { width: 84; max-width: 95%; height: auto; max-height: 90%; padding: 0 1; }
    Picker #dialog { border: round $primary; background: $surface; }
    Picker #title { text-style: bold; }
    Picker #filter { margin: 1 0; background: $panel; }
    Picker #filter:ansi { text-style: underline; }
    Picker #choices { height: auto; max-height: 14; border: none; padding: 0; background: $surface; }
    Picker #empty { height: auto; color: $text-muted; }
    Picker #keys { margin-top: 1; color: $text-muted; }
    """
    AUTO_FOCUS = "#filter"
    PLACEHOLDER: ClassVar[str] = ""
    KEYS: ClassVar[str] = "↑↓ move   Enter choose   Esc back"

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._heading = heading
        self.offered: list[Item] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._heading, id="title", markup=False)
            line = TextInput(compact=True, placeholder=self.PLACEHOLDER, max_length=4096, id="filter")
            line.cursor_blink = False
            yield line
            choices = OptionList(id="choices", markup=False)
            choices.can_focus = False
            yield choices
            yield Static("", id="empty", markup=False)
            yield Static(self.KEYS, id="keys", markup=False)

    def matches(self, typed: str) -> tuple[list[Item], str]:
        """The items that fit what is typed, and a line under them."""
        raise NotImplementedError

    def row(self, item: Item, width: int) -> Text:
        """An item on one line of `width` cells."""
        raise NotImplementedError

    def choose(self, item: Item | None, typed: str) -> None:
        """Enter was pressed, or an item clicked; None: the list is empty."""
        raise NotImplementedError

    def offer(self, *, keep: bool = False) -> None:
        """Show the matches; `keep`: keep the same line highlighted."""
        self.offered, said = self.matches(self.query_one(Input).value.strip())
        choices = self.query_one(OptionList)
        at = choices.highlighted if keep else 0
        width = max(choices.size.width - 3, 10)
        choices.clear_options()
        choices.add_options([Option(self.row(item, width)) for item in self.offered])
        choices.highlighted = at if self.offered else None
        self.tell(said)

    def tell(self, text: str) -> None:
        """Show a line under the list."""
        self.query_one("#empty", Static).update(printable(text))

    @property
    def current(self) -> Item | None:
        """The highlighted item."""
        at = self.query_one(OptionList).highlighted
        return self.offered[at] if at is not None and self.offered else None

    def put(self, text: str) -> None:
        """Replace what is typed."""
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)

    def on_resize(self) -> None:
        self.offer(keep=True)

    def on_input_changed(self) -> None:
        self.offer()

    def on_input_submitted(self) -> None:
        self.choose(self.current, self.query_one(Input).value.strip())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.query_one(OptionList).highlighted = event.option_index
        self.on_input_submitted()

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        if self.offered:
            choices.highlighted = min(max((choices.highlighted or 0) + by, 0), len(self.offered) - 1)

    def action_leave(self) -> None:
        self.dismiss(None)


def contains(text: str, typed: str) -> bool:
    """Whether every typed word is somewhere in the text, in either case."""
    return all(part in text.lower() for part in typed.lower().split())


def name_and_note(name: str, note: str, width: int, room: int, *, is_path: bool) -> Text:
    """A name in `room` cells and a dim note; a long path is cut at its start, which paths share."""
    if is_path and numbers.cell_len(name) > room:
        name = "…" + numbers.tail(name, room - 1)
    row = Text(numbers.fit(name, room) + "  ", no_wrap=True, end="")
    return row.append(numbers.clip(printable(note), width - room - 2), "dim")


class Choose(ModalScreen[str | None]):
    """A short list to choose from. `options`: text by id; returns the id."""

    DEFAULT_CSS = """
    Choose { align: center middle; }
    Choose #dialog { width: auto; min-width: 34; max-width: 95%; height: auto; max-height: 95%; }
    Choose #dialog { padding: 0 2; border: round $primary; background: $surface; }
    Choose #title { text-style: bold; }
    Choose #choices { height: auto; max-height: 16; border: none; padding: 0; background: $surface; }
    Choose #answers { text-align: center; text-style: bold; }
    """

    def __init__(self, question: str, options: dict[str, str], enter: str, current: str = "") -> None:
        super().__init__()
        self._question, self._options, self._enter, self._current = question, options, enter, current

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._question, id="title", markup=False)
            options = [Option(Text(printable(text)), id=key) for key, text in self._options.items()]
            yield OptionList(*options, id="choices", markup=False)
            yield Static(f"Enter  {self._enter}     Esc  back", id="answers", markup=False)

    def on_mount(self) -> None:
        choices: Any = self.query_one(OptionList)
        choices.highlighted = choices.get_option_index(self._current) if self._current else 0
        choices.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        choices.highlighted = ((choices.highlighted or 0) + by) % len(self._options)

    def action_leave(self) -> None:
        self.dismiss(None)
