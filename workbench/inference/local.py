"""Asking models in this very process: for one answer and out."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from workbench.inference.asking import Asking
from workbench.inference.resolve import ModelChoice
from workbench.inference.results import FillResult, Surprisal
from workbench.processes import quieten

if TYPE_CHECKING:
    from workbench.inference.filler import Filler

KEPT_MODELS = 4


def answer(choice: ModelChoice, text: str, asking: Asking) -> FillResult | Surprisal:
    """What is asked. Raises as `Filler` does."""
    filler = load(choice)
    if asking.surprisal:
        return filler.surprisal(text)
    return filler.fill(text, asking.top_k, asking.candidates)


def load(choice: ModelChoice) -> Filler:
    """The model that will answer. Raises ModelError when it cannot be had."""
    return _loaded(choice.path)


@lru_cache(maxsize=KEPT_MODELS)
def _loaded(path: str) -> Filler:
    quieten()
    from workbench.inference.filler import Filler

    return Filler.load(path)
