"""Asks the warm inference process, and sees to it that there is one."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.inference.asking import Asking
from workbench.inference.results import FillResult, Surprisal
from workbench.rpc import Client


class InferenceClient(Client):
    """Questions to the inference process (`command` in its place, for tests)."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        super().__init__("workbench.inference.server", "inference process", command)

    async def fill(self, model: str, text: str, top_k: int = 5, candidates: Sequence[str] = ()) -> FillResult:
        """The masks of `text`, filled by `model` (see `ModelChoice.path`).

        Raises UsageError or ModelError, as `Filler` does; ModelError also when the process cannot be had.
        """
        question = {"model": model, "text": text, "top_k": top_k, "candidates": list(candidates)}
        answer = await self.ask(question)
        return FillResult.from_json(answer["result"], tuple(answer["notes"]))

    async def surprisal(self, model: str, text: str) -> Surprisal:
        """How unexpected each token of `text` is to `model`. Raises as `fill` does."""
        answer = await self.ask({"model": model, "text": text, "task": "surprisal"})
        return Surprisal.from_json(answer["result"], tuple(answer["notes"]))

    async def answer(self, model: str, text: str, asking: Asking) -> FillResult | Surprisal:
        """What is asked about `text`. Raises as `fill` does."""
        if asking.surprisal:
            return await self.surprisal(model, text)
        return await self.fill(model, text, asking.top_k, asking.candidates)
