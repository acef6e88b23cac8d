"""One-line inputs that show untrusted text safely and pass some keys on to the screen."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.widgets import Input

from workbench.text import printable


class TextInput(Input):
    """An input whose value may be untrusted: terminal control characters are shown as U+FFFD."""

    @property
    def _value(self) -> Text:  # of Input: the text that is drawn, one letter for each in `value`
        return Text(printable(self.value), no_wrap=True, overflow="ignore", end="")


class NumberInput(TextInput):
    """An input that passes `?`, `j` and `k` on to the screen, since no number contains them."""

    PASSED_ON: ClassVar[frozenset[str]] = frozenset("?jk")

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character not in self.PASSED_ON and super().check_consume_key(key, character)

    def on_key(self, event: events.Key) -> None:
        # Textual also calls the base class's handler of the same name, unless it is prevented.
        if event.character in self.PASSED_ON:
            event.prevent_default()
