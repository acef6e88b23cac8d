"""Client of the warm inference process; starts it when needed."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.inference.query import Query
from workbench.inference.results import FillResult, Surprisal
from workbench.rpc import Client


class InferenceClient(Client):
    """Sends requests to the inference process. `command` replaces it in tests."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        super().__init__("workbench.inference.server", "inference process", command)

    async def fill(self, model: str, text: str, top_k: int = 5, candidates: Sequence[str] = ()) -> FillResult:
        """Fill the masks of `text` with `model` (see `ModelChoice.path`).

        Raises UsageError or ModelError, as `Filler` does; ModelError also when the process cannot be started.
        """
        request = {"model": model, "text": text, "top_k": top_k, "candidates": list(candidates)}
        answer = await self.ask(request)
        return FillResult.from_json(answer["result"], tuple(answer["notes"]))

    async def surprisal(self, model: str, text: str) -> Surprisal:
        """How unexpected each token of `text` is to `model`. Raises as `fill` does."""
        answer = await self.ask({"model": model, "text": text, "task": "surprisal"})
        return Surprisal.from_json(answer["result"], tuple(answer["notes"]))

    async def answer(self, model: str, text: str, query: Query) -> FillResult | Surprisal:
        """Fill masks or compute surprisal, as `query` says. Raises as `fill` does."""
        if query.surprisal:
            return await self.surprisal(model, text)
        return await self.fill(model, text, query.top_k, query.candidates)
