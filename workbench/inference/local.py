"""Queries models in this process, for a single answer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from workbench.inference.query import Query
from workbench.inference.resolve import ModelChoice
from workbench.inference.results import FillResult, Surprisal
from workbench.processes import quieten

if TYPE_CHECKING:
    from workbench.inference.filler import Filler

KEPT_MODELS = 4


def answer(choice: ModelChoice, text: str, query: Query) -> FillResult | Surprisal:
    """Fill masks or compute surprisal, as `query` says. Raises as `Filler` does."""
    filler = load(choice)
    if query.surprisal:
        return filler.surprisal(text)
    return filler.fill(text, query.top_k, query.candidates)


def load(choice: ModelChoice) -> Filler:
    """The loaded model. Raises ModelError when it cannot be loaded."""
    return _loaded(choice.path)


@lru_cache(maxsize=KEPT_MODELS)
def _loaded(path: str) -> Filler:
    quieten()
    from workbench.inference.filler import Filler

    return Filler.load(path)
