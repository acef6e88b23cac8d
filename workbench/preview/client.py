"""Asks the preview process, which the first question starts."""

from __future__ import annotations

import sys

from workbench.inference.client import InferenceClient
from workbench.preview.results import Preview
from workbench.recipe import Recipe

SERVER = (sys.executable, "-P", "-m", "workbench.preview.server")


class PreviewClient:
    """Previews of recipes. Belongs to one event loop; a preview that is cancelled is given up there too."""

    def __init__(self) -> None:
        self._process = InferenceClient(SERVER)

    async def preview(self, recipe: Recipe, model: str, chunks: int = 3) -> Preview:
        """The first chunks that a training of `recipe` would see, masked.

        `model` takes the place of recipe.model, which may name a run. Raises WorkbenchError: what a training
        would fail with for its text or tokenizer; CorpusError for what is not on this machine yet.
        """
        question = {"recipe": recipe.model_dump(), "model": model, "chunks": chunks}
        return Preview.from_json((await self._process.ask(question))["result"])

    async def close(self) -> None:
        """End the process."""
        await self._process.close()
