"""Asks the preview process, which the first question starts."""

from __future__ import annotations

import sys
from typing import Any

from workbench.inference.client import InferenceClient, Told
from workbench.preview.results import Preview
from workbench.recipe import Recipe

SERVER = (sys.executable, "-P", "-m", "workbench.preview.server")


class PreviewClient:
    """Previews of recipes and counts of their texts. Belongs to one event loop; what is cancelled is given up
    in the process too.
    """

    def __init__(self) -> None:
        self._process = InferenceClient(SERVER)

    async def preview(self, recipe: Recipe, model: str, chunks: int = 3) -> Preview:
        """The first chunks that a training of `recipe` would see, masked.

        `model` takes the place of recipe.model, which may name a run. Raises WorkbenchError: what a training
        would fail with for its text or tokenizer; CorpusError for what is not on this machine yet.
        """
        question = {"recipe": recipe.model_dump(), "model": model, "chunks": chunks}
        return Preview.from_json((await self._process.ask(question))["result"])

    async def statistics(self, recipe: Recipe, model: str, told: Told) -> dict[str, Any]:
        """What the text of `recipe` is made of: corpus.statistics.Statistics as plain values.

        The whole text is prepared for it, as a training would. `told` hears [phase, done, total, unit].
        `model` and errors as in `preview`.
        """
        question = {"recipe": recipe.model_dump(), "model": model, "task": "statistics"}
        found: dict[str, Any] = (await self._process.ask(question, told))["result"]
        return found

    async def close(self) -> None:
        """End the process."""
        await self._process.close()
