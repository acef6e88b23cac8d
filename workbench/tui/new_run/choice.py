"""A field that chooses among a few visible words, one or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from workbench.tui.actions import bindings


class Choice(Widget, can_focus=True):
    """Chooses one of a few visible words; left and right move.

    several: a comma keeps the word under the cursor and adds another; `value` is then a list with commas.
    """

    DEFAULT_CSS = """
    Choice { height: 1; width: auto; max-width: 100%; }
    Choice:focus { text-style: none; background: $block-cursor-blurred-background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("form.choice")
    value: reactive[str] = reactive("", layout=True)

    @dataclass
    class Changed(Message):
        choice: Choice
        value: str

        @property
        def control(self) -> Choice:
            return self.choice

    def __init__(
        self, options: tuple[str, ...], value: str, *, several: bool = False, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.options = options
        self._several = several
        self._kept: set[str] = set()
        self._at = value
        self.set_reactive(Choice.value, value)

    def offer(self, options: tuple[str, ...], value: str) -> None:
        """Set other words to choose from, without a message."""
        self.options = options
        self._at, self._kept = value, set()
        self.set_reactive(Choice.value, value)
        self.refresh(layout=True)

    def watch_value(self, value: str) -> None:
        if value != self._joined():  # set by the program: the cursor goes to the last of several
            *kept, self._at = value.split(",")
            self._kept = set(kept)

    def _joined(self) -> str:
        chosen = {*self._kept, self._at}
        return ",".join(option for option in self.options if option in chosen) or self._at

    def render(self) -> Text:
        text = Text(no_wrap=True, end="")
        first, last = self._in_sight()
        if first:
            text.append("‹ ", "dim")
        for option in self.options[first:last]:
            chosen = option == self._at or option in self._kept
            here = option == self._at and self.has_focus
            style = "bold reverse" if here else "bold" if chosen else "dim"
            text.append(f"{'●' if chosen else '○'} {option}", style).append("  ")
        if last < len(self.options):
            text.append("›", "dim")
        return text

    def _in_sight(self) -> tuple[int, int]:
        """The range of options that fit, including the chosen one."""
        first, last, room = 0, len(self.options), self.size.width
        at = self.options.index(self._at) if self._at in self.options else 0
        widths = [cell_len(option) + 4 for option in self.options]
        while sum(widths[first:last]) + 2 > room and last - 1 > at:
            last -= 1
        while sum(widths[first:last]) + 2 > room and first < at:
            first += 1
        return (0, len(self.options)) if sum(widths) <= room else (first, last)

    def get_content_width(self, container: Any, viewport: Any) -> int:
        return sum(cell_len(option) + 4 for option in self.options)

    def action_step(self, by: int) -> None:
        at = self.options.index(self._at) if self._at in self.options else 0
        self._go_to(self.options[(at + by) % len(self.options)])

    def action_keep(self) -> None:
        """Keep the word under the cursor among several, or drop it again."""
        if self._several:
            self._kept ^= {self._at}
            self.refresh()

    def _go_to(self, option: str) -> None:
        self._at = option
        value = self._joined()
        self.refresh()
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self, value))

    def on_click(self, event: events.Click) -> None:
        first, last = self._in_sight()
        start = 2 if first else 0
        for option in self.options[first:last]:
            if start <= event.x < start + cell_len(option) + 2:
                self._go_to(option)
            start += cell_len(option) + 4
