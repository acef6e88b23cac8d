"""A few words of which one holds, all of them in sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """A few words of which one holds, all of them in sight; left and right move."""

    DEFAULT_CSS = """
    Choice { height: 1; width: auto; }
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

    def render(self) -> Text:
        text = Text(no_wrap=True, end="")
        for option in self.options:
            chosen = option == self.value
            style = "bold reverse" if chosen and self.has_focus else "bold" if chosen else "dim"
            text.append(f"{'●' if chosen else '○'} {option}", style).append("  ")
        return text

    def get_content_width(self, container: Any, viewport: Any) -> int:
        return sum(len(option) + 4 for option in self.options)

    def action_step(self, by: int) -> None:
        at = self.options.index(self.value) if self.value in self.options else 0
        self.choose(self.options[(at + by) % len(self.options)])

    def choose(self, value: str) -> None:
        """Set the value as if by hand."""
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self, value))

    def on_click(self, event: events.Click) -> None:
        start = 0
        for option in self.options:
            if start <= event.x < start + len(option) + 2:
                self.choose(option)
            start += len(option) + 4
