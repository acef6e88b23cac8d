"""Chunks as the model will see them; masked tokens are marked by signs and by colour."""

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
"""Seconds without a change before the preview is redrawn."""
LEGEND = "[masked] word→random =kept="


class PreviewPane(VerticalScroll, can_focus=False):
    """A heading and the chunks. The preview process starts with the first of them."""

    DEFAULT_CSS = """
    PreviewPane { height: 2fr; min-height: 5; padding: 0 1; border-top: solid $panel; }
    PreviewPane:ansi { border-top: solid ansi_default; }
    PreviewPane > .about { height: auto; color: $text-muted; }
    PreviewPane > .chunks { height: auto; }
    """

    @dataclass
    class Counted(Message):
        """The text of `recipe` was counted (see `Preview.counts`)."""

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
        """Show the text of `recipe` after a moment without changes. A later call cancels this one.

        None: the form has a mistake, so the preview stays as it is.
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
        """The process that reads the text."""
        self._client = self._client or PreviewClient()
        return self._client

    async def model_of(self, recipe: Recipe) -> str:
        """The recipe's model as the client takes it: a run's newest checkpoint for its name. Raises
        WorkbenchError."""
        if not recipe.model.startswith("run:"):
            return recipe.model
        return (await asyncio.to_thread(resolve_model, self._store, model=recipe.model)).path

    def _show(self, about: str, chunks: str | Text) -> None:
        self.query_one(".about", Static).update(about)
        self.query_one(".chunks", Static).update(chunks)


def headline(preview: Preview) -> str:
    """What the chunks are, and the share of their tokens that is masked."""
    tokens = sum(chunk.tokens for chunk in preview.chunks)
    masked = sum(chunk.masked for chunk in preview.chunks)
    share = f"{masked} of {tokens} tokens masked ({masked / max(tokens, 1):.1%})"
    shown = len(preview.chunks)
    if preview.counts:
        chunks = numbers.count(preview.counts["train_chunks"])
        what = f"The first {shown} of {chunks} training chunks"
    else:
        what = f"{shown} chunks from the start of the text, masked as an example"
    notes = "".join(f"\n{printable(note)}" for note in preview.notes)
    return f"{what}: {share}.  {LEGEND}{notes}"


def chunks_text(preview: Preview) -> Text:
    """The chunks, one paragraph each."""
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
