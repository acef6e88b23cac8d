"""What a recipe will cost, estimated from earlier runs; unknown where there are none."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.display import numbers
from workbench.recipe import Affects, Recipe
from workbench.recipe_fields import agree
from workbench.stored_recipe import StoredRecipe

_RECENT = 5
"""Number of recent speeds that count, since older runs may come from an older version."""


class PastRun(Protocol):
    """What an estimate needs of a stored run."""

    @property
    def recipe(self) -> StoredRecipe: ...
    @property
    def host(self) -> str | None: ...
    @property
    def data(self) -> Mapping[str, Any] | None: ...
    @property
    def tokens_per_second(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class PreviewedText:
    """A text counted by the preview: as good as a run for counts, without a speed."""

    recipe: StoredRecipe
    data: Mapping[str, Any] | None
    host: str | None = None
    tokens_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Chunks, steps and seconds of training; None where unknown."""

    train_chunks: int | None
    steps_per_epoch: int | None
    steps: int | None
    tokens: int | None
    tokens_per_second: float | None
    seconds: float | None
    too_short: bool = False
    masked: int | None = None
    """Expected number of masked tokens in the whole training."""

    def lines(self) -> list[str]:
        """Two lines for the form."""
        if self.too_short:
            first = "Not enough text for one chunk of this size; the run would fail."
        elif self.steps is None:
            first = "Steps: unknown until the text is counted; F2 counts it."
        else:
            first = (
                f"{numbers.count(self.steps)} steps ({numbers.count(self.steps_per_epoch)} per epoch) over "
                f"{numbers.count(self.train_chunks)} chunks, {numbers.compact(self.tokens)} tokens, "
                f"{numbers.compact(self.masked)} masked"
            )
        speed = self.tokens_per_second
        if speed is None:
            second = "Time: unknown; no earlier run of this model on this machine."
        elif self.seconds is None:
            second = f"Time: unknown; earlier runs here made {numbers.compact(speed)} tokens/s."
        else:
            second = (
                f"Training about {numbers.duration(self.seconds)} at {numbers.compact(speed)} tokens/s, "
                "as in earlier runs here"
            )
        return [first, second]


def estimate(recipe: Recipe, past: Iterable[PastRun], host: str) -> Cost:
    """The cost of `recipe` on `host`. `past`: newest first.

    The number of chunks of another size follows from the number of tokens.
    """
    wanted = StoredRecipe.of(recipe)
    tokens: int | None = None
    speeds: list[tuple[bool, float]] = []
    for run in past:
        if tokens is None and run.data and agree(wanted, run.recipe, Affects.TEXT):
            tokens = run.data.get("train_tokens")
        speed = run.tokens_per_second
        if speed and speed > 0 and run.host == host and agree(wanted, run.recipe, Affects.SPEED):
            speeds.append((agree(wanted, run.recipe, Affects.SHAPE), speed))
    # Runs of the same shape are the best guide; others of the same model are better than nothing.
    same_shape = [speed for same, speed in speeds if same]
    recent = (same_shape or [speed for _, speed in speeds])[:_RECENT]
    speed = statistics.median(recent) if recent else None
    if tokens is None:
        return Cost(None, None, None, None, speed, None)
    chunks = tokens // recipe.chunk_size
    if chunks < 1:
        return Cost(0, None, None, None, speed, None, too_short=True)
    per_epoch = math.ceil(chunks / recipe.effective_batch_size)
    steps = per_epoch * recipe.epochs
    trained = chunks * recipe.chunk_size * recipe.epochs
    if recipe.max_steps and recipe.max_steps < steps:
        trained = min(trained, recipe.max_steps * recipe.effective_batch_size * recipe.chunk_size)
        steps = recipe.max_steps
    seconds = trained / speed if speed else None
    masked = round(trained * recipe.mask_prob)
    return Cost(chunks, per_epoch, steps, trained, speed, seconds, masked=masked)
