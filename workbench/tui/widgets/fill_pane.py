"""What one model puts in the place of the masks: the sentence filled in, and bars for each mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.text import printable
from workbench.tui import figures
from workbench.tui.widgets.bars import bar_rows


class FillPane(VerticalScroll, can_focus=False):
    """One model's answer. Takes the JSON form of a result, so that one from the history looks the same."""

    DEFAULT_CSS = """
    FillPane { width: 1fr; padding: 0 1; }
    FillPane > .model { text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; color: $text-primary; }
    FillPane:ansi > .model { color: ansi_default; text-style: bold underline; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._content: Mapping[str, Any] | str = ""
        self._notes: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        yield Static("", classes="model", markup=False)
        yield Static("", classes="answer", markup=False)

    def name_model(self, label: str) -> None:
        """Which model this pane speaks for."""
        self.query_one(".model", Static).update(printable(label))

    def say(self, text: str) -> None:
        """Show a message in place of a result."""
        self._content = printable(text, keep_newlines=True)
        self._draw()

    def show_result(self, result: Mapping[str, Any], notes: Sequence[str] = ()) -> None:
        """Show {text, filled, masks: [{position, predictions: [{text, token_id, probability}]}]}.

        `notes`: what to know about the model, shown below.
        """
        self._content, self._notes = result, notes
        self._draw()
        self.scroll_home(animate=False)

    @property
    def has_result(self) -> bool:
        """Whether an answer is shown, not a message."""
        return not isinstance(self._content, str)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = max(self.scrollable_content_region.width, 20)
        content = self._content
        drawn = Text(content) if isinstance(content, str) else answer(content, width, self._notes)
        shown = self.query_one(".answer", Static)
        if shown.content != drawn:
            shown.update(drawn)


def answer(result: Mapping[str, Any], width: int, notes: Sequence[str] = ()) -> Text:
    """The filled sentence, then each mask's candidates with their probabilities."""
    masks = result.get("masks", [])
    text = Text(printable(str(result.get("filled", ""))), style="italic")
    words = (printable(str(p["text"])) for mask in masks for p in mask["predictions"])
    longest = max((figures.cell_len(word) for word in words), default=0)
    for number, mask in enumerate(masks, 1):
        candidates = [(str(p["text"]), float(p["probability"])) for p in mask["predictions"]]
        title = f"mask {number} of {len(masks)}" if len(masks) > 1 else "mask"
        text.append(f"\n\n{figures.fit(title, width)}", "not italic dim underline")
        for row in bar_rows(candidates, width, label=longest, style="not italic", bar_style="cyan"):
            text.append("\n").append_text(row)
    for note in notes:
        text.append(f"\n\n! {printable(note)}", "not italic bold")
    return text
