"""A few words of which one holds, all of them in sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """A few words of which one holds, all of them in sight; left and right move."""

    DEFAULT_CSS = """
    Choice { height: 1; width: auto; max-width: 100%; }
    Choice:focus { text-style: none; background: $block-cursor-blurred-background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", show=False),
        Binding("right,l,space", "step(1)", show=False),
    ]
    value: reactive[str] = reactive("", layout=True)

    @dataclass
    class Changed(Message):
        choice: Choice
        value: str

        @property
        def control(self) -> Choice:
            return self.choice

    def __init__(self, options: tuple[str, ...], value: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = options
        self.set_reactive(Choice.value, value)

    def offer(self, options: tuple[str, ...], value: str) -> None:
        """Other words to choose from; nobody is told."""
        self.options = options
        self.set_reactive(Choice.value, value)
        self.refresh(layout=True)

    def render(self) -> Text:
        text = Text(no_wrap=True, end="")
        first, last = self._in_sight()
        if first:
            text.append("‹ ", "dim")
        for option in self.options[first:last]:
            chosen = option == self.value
            style = "bold reverse" if chosen and self.has_focus else "bold" if chosen else "dim"
            text.append(f"{'●' if chosen else '○'} {option}", style).append("  ")
        if last < len(self.options):
            text.append("›", "dim")
        return text

    def _in_sight(self) -> tuple[int, int]:
        """The options from the first to before the last that there is room for, the chosen one among them."""
        first, last, room = 0, len(self.options), self.size.width
        at = self.options.index(self.value) if self.value in self.options else 0
        widths = [cell_len(option) + 4 for option in self.options]
        while sum(widths[first:last]) + 2 > room and last - 1 > at:
            last -= 1
        while sum(widths[first:last]) + 2 > room and first < at:
            first += 1
        return (0, len(self.options)) if sum(widths) <= room else (first, last)

    def get_content_width(self, container: Any, viewport: Any) -> int:
        return sum(cell_len(option) + 4 for option in self.options)

    def action_step(self, by: int) -> None:
        at = self.options.index(self.value) if self.value in self.options else 0
        self.choose(self.options[(at + by) % len(self.options)])

    def choose(self, value: str) -> None:
        """Set the value as if by hand."""
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self, value))

    def on_click(self, event: events.Click) -> None:
        first, last = self._in_sight()
        start = 2 if first else 0
        for option in self.options[first:last]:
            if start <= event.x < start + cell_len(option) + 2:
                self.choose(option)
            start += cell_len(option) + 4
