"""The client of the preview process, which the first request starts."""

from __future__ import annotations

from typing import Any

from workbench.preview.results import Preview
from workbench.recipe import Recipe
from workbench.rpc import Client, Tell


class PreviewClient(Client):
    """Requests previews of recipes and statistics of their texts."""

    def __init__(self) -> None:
        super().__init__("workbench.preview.server", "preview process")

    async def preview(self, recipe: Recipe, model: str, chunks: int = 3) -> Preview:
        """The first chunks that training on `recipe` would see, masked.

        `model` replaces recipe.model, which may name a run. Raises WorkbenchError: the errors that the run
        would have with its text or tokenizer, and CorpusError for data that is not on this machine yet.
        """
        request = {"recipe": recipe.model_dump(), "model": model, "chunks": chunks}
        return Preview.from_json((await self.ask(request))["result"])

    async def statistics(self, recipe: Recipe, model: str, tell: Tell) -> dict[str, Any]:
        """The statistics of the recipe's text: corpus.statistics.Statistics as plain values.

        The whole text is prepared as for training. `tell` is called with [phase, done, total, unit]. `model`
        and errors are as in `preview`.
        """
        request = {"recipe": recipe.model_dump(), "model": model, "task": "statistics"}
        statistics: dict[str, Any] = (await self.ask(request, tell))["result"]
        return statistics
