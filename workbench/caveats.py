"""Caveats for a run's metrics: it diverged, or its base was not a trained model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from workbench.status import Status

if TYPE_CHECKING:
    from workbench.stored_recipe import StoredRecipe

NEW_HEAD = "its head was new"
_WITH_HEAD = frozenset({"starter", "distilbert/distilbert-base-uncased"})
"""The models of the presets, which have weights for their heads."""
FROM_NOTHING = "it started from random weights"
_ENDED = frozenset({Status.FINISHED, Status.STOPPED})


class Measured(Protocol):
    """A run with its metrics."""

    @property
    def status(self) -> str: ...
    @property
    def eval_perplexity(self) -> float | None: ...
    @property
    def baseline_perplexity(self) -> float | None: ...


class Described(Measured, Protocol):
    """A run with its recipe and its engine's data."""

    @property
    def recipe(self) -> StoredRecipe: ...
    @property
    def engine(self) -> dict[str, Any]: ...


def diverged(run: Measured) -> bool:
    """Whether an ended run is worse on its own test than before training, or its perplexity is infinite."""
    now, before = run.eval_perplexity, run.baseline_perplexity
    if run.status not in _ENDED or now is None:
        return False
    return not math.isfinite(now) or (before is not None and now > before)


def untrained_base(recipe: StoredRecipe, engine: Mapping[str, Any]) -> str:
    """Why the model that a run started from was not a trained one; "" if it was.

    Its perplexity is that of random weights, and no baseline for the training.
    """
    if str(recipe.model or "").startswith("new:"):
        return FROM_NOTHING
    return NEW_HEAD if engine.get("drawn") else ""


def base_name(recipe: StoredRecipe, engine: Mapping[str, Any]) -> str:
    """A unique name for the model that a run started from: a new head is different for each seed."""
    name = str(recipe.model)
    return f"{name}, new head of seed {recipe.seed}" if engine.get("drawn") else name


def warnings_of(run: Described) -> list[str]:
    """Caveats for the run's metrics, as sentences."""
    warnings = [divergence(run)] if diverged(run) else []
    if drawn := run.engine.get("drawn"):
        shown = ", ".join(map(str, drawn[:3])) + (" …" if len(drawn) > 3 else "")
        warnings.append(
            f"The model had no weights for {shown}: they were drawn at random, so its perplexity before "
            "training is no baseline."
        )
    elif _head_is_unknown(run):
        warnings.append(
            f"It was not recorded whether {run.recipe.model} had weights for its masked-LM head. "
            "If not, its perplexity before training is no baseline."
        )
    return warnings


def _head_is_unknown(run: Described) -> bool:
    """Whether a run is older than the record of drawn parameters, and its model's name does not tell."""
    model = run.recipe.model or ""
    known = not model or model in _WITH_HEAD or model.startswith(("run:", "new:"))
    return bool(run.engine) and "drawn" not in run.engine and not known


def divergence(run: Measured) -> str:
    """How a run diverged, and what to do."""
    now, before = run.eval_perplexity, run.baseline_perplexity
    message = "The training diverged: its test perplexity is infinite."
    if now is not None and before is not None and math.isfinite(now):
        message = (
            f"The training made the model worse: its test perplexity is {now:,.4g}, and was {before:,.4g} "
            "before training."
        )
    return f"{message} Lower learning_rate, or add warmup_ratio."
