"""Chunks of text as a model will see them: what is masked is told apart by signs, and by colour too."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from workbench.display import numbers
from workbench.errors import WorkbenchError
from workbench.inference.resolve import resolve_model
from workbench.preview.client import PreviewClient
from workbench.preview.results import Piece, Preview
from workbench.recipe import Recipe
from workbench.store import Store
from workbench.text import printable

_STYLES = {"mask": "bold reverse", "random": "bold underline", "kept": "underline"}
_STILL = 0.25
"""Seconds without a change after which the preview is drawn anew."""
LEGEND = "[masked] word→random =kept="


class PreviewPane(VerticalScroll, can_focus=False):
    """A line that says what it is, and the chunks under it. Its process is started by the first of them."""

    DEFAULT_CSS = """
    PreviewPane { height: 2fr; min-height: 5; padding: 0 1; border-top: solid $panel; }
    PreviewPane:ansi { border-top: solid ansi_default; }
    PreviewPane > .about { height: auto; color: $text-muted; }
    PreviewPane > .chunks { height: auto; }
    """

    @dataclass
    class Counted(Message):
        """The text of `recipe` has these counts (see `Preview.counts`)."""

        recipe: Recipe
        counts: dict[str, Any]

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._client: PreviewClient | None = None

    def compose(self) -> ComposeResult:
        yield Static("", classes="about", markup=False)
        yield Static("", classes="chunks", markup=False)

    async def on_unmount(self) -> None:
        if self._client:
            await self._client.close()

    @work(group="preview", exclusive=True)
    async def draw(self, recipe: Recipe | None) -> None:
        """Show the text of `recipe` once it has stayed the same for a moment. A later call gives this up.

        None: the form holds a mistake; what is shown stays.
        """
        if recipe is None:
            return
        if self._client is None:
            self._show("Reading the text…", "")
        await asyncio.sleep(_STILL)
        try:
            preview = await self.client.preview(recipe, await self.model_of(recipe))
        except WorkbenchError as error:
            self._show(f"✗ {printable(error.message)} {printable(error.hint)}", "")
            return
        self._show(headline(preview), chunks_text(preview))
        if preview.counts:
            self.post_message(self.Counted(recipe, preview.counts))

    @property
    def client(self) -> PreviewClient:
        """Who reads the text."""
        self._client = self._client or PreviewClient()
        return self._client

    async def model_of(self, recipe: Recipe) -> str:
        """The recipe's model as the client wants it: a run's name is its newest checkpoint. Raises
        WorkbenchError."""
        if not recipe.model.startswith("run:"):
            return recipe.model
        return (await asyncio.to_thread(resolve_model, self._store, model=recipe.model)).path

    def _show(self, about: str, chunks: str | Text) -> None:
        self.query_one(".about", Static).update(about)
        self.query_one(".chunks", Static).update(chunks)


def headline(preview: Preview) -> str:
    """What the chunks are, and how many of their tokens are masked."""
    tokens = sum(chunk.tokens for chunk in preview.chunks)
    masked = sum(chunk.masked for chunk in preview.chunks)
    share = f"{masked} of {tokens} tokens masked ({masked / max(tokens, 1):.1%})"
    shown = len(preview.chunks)
    if preview.counts:
        chunks = numbers.count(preview.counts["train_chunks"])
        what = f"The first {shown} of {chunks} chunks that are trained on"
    else:
        what = f"{shown} chunks of the text's beginning, masked as an example"
    notes = "".join(f"\n{printable(note)}" for note in preview.notes)
    return f"{what}: {share}.  {LEGEND}{notes}"


def chunks_text(preview: Preview) -> Text:
    """The chunks, a paragraph each."""
    text = Text(end="")
    for number, chunk in enumerate(preview.chunks):
        text.append(("\n" if number else "") + f"{chunk.row:,} ", "dim")
        for piece in chunk.pieces:
            _append(text, piece)
        if len(chunk.pieces) < chunk.tokens:
            text.append(f" … and {chunk.tokens - len(chunk.pieces):,} more tokens", "dim")
    return text


def _append(text: Text, piece: Piece) -> None:
    whole = printable(" ".join(piece.text.split("\n")))
    word = whole.lstrip()
    text.append(whole[: len(whole) - len(word)])
    if piece.fate == "mask":
        text.append(f"[{word}]", _STYLES["mask"])
    elif piece.fate == "random":
        text.append(f"{word}→{printable(piece.shown).strip()}", _STYLES["random"])
    elif piece.fate == "kept":
        text.append(f"={word}=", _STYLES["kept"])
    else:
        text.append(word, "dim" if piece.fate == "special" else "")
