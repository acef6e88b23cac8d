"""What must be said beside a run's metrics: that it diverged, that its base was not a trained model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from workbench.status import Status

if TYPE_CHECKING:
    from workbench.stored_recipe import StoredRecipe

NEW_HEAD = "its head was new"
FROM_NOTHING = "it began from random weights"
_ENDED = frozenset({Status.FINISHED, Status.STOPPED})


class Measured(Protocol):
    """A run with what it measured."""

    @property
    def status(self) -> str: ...
    @property
    def eval_perplexity(self) -> float | None: ...
    @property
    def baseline_perplexity(self) -> float | None: ...


class Described(Measured, Protocol):
    """A run with its recipe and what its engine told."""

    @property
    def recipe(self) -> StoredRecipe: ...
    @property
    def engine(self) -> dict[str, Any]: ...


def diverged(run: Measured) -> bool:
    """Whether a run that has ended is worse on its own test than before training, or without bound."""
    now, before = run.eval_perplexity, run.baseline_perplexity
    if run.status not in _ENDED or now is None:
        return False
    return not math.isfinite(now) or (before is not None and now > before)


def untrained_base(recipe: StoredRecipe, engine: Mapping[str, Any]) -> str:
    """Why the model that a run started from was not a trained one, in a few words; "" where it was.

    Such a model is no measure of what training gained: its figures are those of random weights.
    """
    if str(recipe.model or "").startswith("new:"):
        return FROM_NOTHING
    return NEW_HEAD if engine.get("drawn") else ""


def base_name(recipe: StoredRecipe, engine: Mapping[str, Any]) -> str:
    """The model that a run started from, by a name that tells it from others: a head that was drawn is
    another one for each seed."""
    name = str(recipe.model)
    return f"{name}, new head of seed {recipe.seed}" if engine.get("drawn") else name


def warnings_of(run: Described) -> list[str]:
    """Sentences that belong beside the run's figures; none for a run that went as one would wish."""
    found = [divergence(run)] if diverged(run) else []
    if drawn := run.engine.get("drawn"):
        shown = ", ".join(map(str, drawn[:3])) + (" …" if len(drawn) > 3 else "")
        found.append(
            f"The model had no weights for {shown}: they were drawn at random, so its perplexity before "
            "training is no measure of what was gained."
        )
    return found


def divergence(run: Measured) -> str:
    """How a run that diverged stands, and what to do."""
    now, before = run.eval_perplexity, run.baseline_perplexity
    how = "The training diverged: its test perplexity is infinite."
    if now is not None and before is not None and math.isfinite(now):
        how = (
            f"The training made the model worse: its test perplexity is {now:,.4g}, and was {before:,.4g} "
            "before training."
        )
    return f"{how} Lower learning_rate, or add warmup_ratio."
