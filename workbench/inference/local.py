"""Asking models in this very process: for one answer and out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from workbench.inference.quiet import quieten
from workbench.inference.resolve import ModelChoice
from workbench.inference.results import FillResult

if TYPE_CHECKING:
    from workbench.inference.filler import Filler

KEPT_MODELS = 4


def fill_text(choice: ModelChoice, text: str, top_k: int = 5, candidates: Sequence[str] = ()) -> FillResult:
    """Fill the masks of `text`. The model stays loaded for the next call; the first takes some seconds.

    Raises UsageError or ModelError, as `Filler` does.
    """
    return load(choice).fill(text, top_k, candidates)


def load(choice: ModelChoice) -> Filler:
    """The model that will answer. Raises ModelError when it cannot be had."""
    return _loaded(choice.path)


@lru_cache(maxsize=KEPT_MODELS)
def _loaded(path: str) -> Filler:
    quieten()
    from workbench.inference.filler import Filler

    return Filler.load(path)
