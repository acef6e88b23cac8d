"""One-line inputs that are safe to show and leave the screen its keys."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.widgets import Input

from workbench.text import printable


class TextInput(Input):
    """An input whose value may come from elsewhere: what a terminal would obey is shown as U+FFFD."""

    @property
    def _value(self) -> Text:  # of Input: the text that is drawn, a letter for each of `value`
        return Text(printable(self.value), no_wrap=True, overflow="ignore", end="")


class NumberInput(TextInput):
    """An input in which `?`, `j` and `k` are keys of the screen, since no number has them."""

    PASSED_ON: ClassVar[frozenset[str]] = frozenset("?jk")

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character not in self.PASSED_ON and super().check_consume_key(key, character)

    def on_key(self, event: events.Key) -> None:
        # Both handlers would run: a handler of the same name in a base class is called after this one.
        if event.character in self.PASSED_ON:
            event.prevent_default()
