"""Asks the preview process, which the first question starts."""

from __future__ import annotations

from typing import Any

from workbench.preview.results import Preview
from workbench.recipe import Recipe
from workbench.rpc import Client, Tell


class PreviewClient(Client):
    """Previews of recipes and counts of their texts."""

    def __init__(self) -> None:
        super().__init__("workbench.preview.server", "preview process")

    async def preview(self, recipe: Recipe, model: str, chunks: int = 3) -> Preview:
        """The first chunks that a training of `recipe` would see, masked.

        `model` takes the place of recipe.model, which may name a run. Raises WorkbenchError: what a training
        would fail with for its text or tokenizer; CorpusError for what is not on this machine yet.
        """
        question = {"recipe": recipe.model_dump(), "model": model, "chunks": chunks}
        return Preview.from_json((await self.ask(question))["result"])

    async def statistics(self, recipe: Recipe, model: str, tell: Tell) -> dict[str, Any]:
        """What the text of `recipe` is made of: corpus.statistics.Statistics as plain values.

        The whole text is prepared for it, as a training would. `tell` hears [phase, done, total, unit].
        `model` and errors as in `preview`.
        """
        question = {"recipe": recipe.model_dump(), "model": model, "task": "statistics"}
        found: dict[str, Any] = (await self.ask(question, tell))["result"]
        return found
