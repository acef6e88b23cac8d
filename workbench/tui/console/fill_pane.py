"""One model's answer: the filled sentence, or how unexpected its words are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.text import printable
from workbench.tui.console.answer_text import answer_text

_NARROWEST = 10
"""Least width; below it lines are cut off."""


class FillPane(VerticalScroll, can_focus=False):
    """Shows one model's answer. Takes a result's JSON form, so that one from the history looks the same."""

    DEFAULT_CSS = """
    FillPane { width: 1fr; padding: 0 1; scrollbar-gutter: stable; }
    FillPane.-beside { border-left: solid $panel; }
    FillPane.-beside:ansi { border-left: solid ansi_default; }
    FillPane > .model { text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; color: $text-primary; }
    FillPane:ansi > .model { color: ansi_default; text-style: bold underline; }
    """

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = printable(label)
        self._content: Mapping[str, Any] | str = ""
        self._notes: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        yield Static(self._label, classes="model", markup=False)
        yield Static("", classes="answer", markup=False)

    def on_mount(self) -> None:
        self._draw()

    def say(self, text: str) -> None:
        """Show a message in place of a result."""
        self._content = printable(text, keep_newlines=True)
        self._draw()

    def show_result(self, result: Mapping[str, Any], notes: Sequence[str] = ()) -> None:
        """Show what `FillResult.to_json` or `Surprisal.to_json` returned. `notes`: remarks on the model."""
        self._content, self._notes = result, notes
        self._draw()
        self.scroll_home(animate=False)

    @property
    def result(self) -> Mapping[str, Any] | None:
        """The answer that is shown; None for a message."""
        return None if isinstance(self._content, str) else self._content

    @property
    def has_result(self) -> bool:
        """Whether an answer is shown, not a message."""
        return self.result is not None

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        width = max(self.scrollable_content_region.width, _NARROWEST)
        content = self._content
        drawn = Text(content) if isinstance(content, str) else answer_text(content, width, self._notes)
        shown = self.query_one(".answer", Static)
        if shown.content != drawn:
            shown.update(drawn)
