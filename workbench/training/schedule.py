"""The learning rate as a pure function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

import math

from workbench.recipe import Recipe


def learning_rate(recipe: Recipe, step: int, total_steps: int) -> float:
    """The learning rate of optimizer step `step`, from 1 to `total_steps`.

    Warm-up is linear over `warmup_ratio` of the steps and ends at the peak. Then constant; linear to 0;
    cosine to 0 (Loshchilov & Hutter 2017, no restarts); or wsd: stable, then linear to 0 over the last
    `decay_ratio` of the steps (Hu et al. 2024). The last step's rate is just above 0.
    """
    warmup_steps = round(recipe.warmup_ratio * total_steps)
    if step <= warmup_steps:
        return recipe.learning_rate * step / warmup_steps
    left = total_steps - step + 1  # includes this step, so that no step has a rate of 0
    match recipe.schedule:
        case "linear":
            share = left / (total_steps - warmup_steps)
        case "cosine":
            share = (1 - math.cos(math.pi * left / (total_steps - warmup_steps))) / 2
        case "wsd":
            decay_steps = round(recipe.decay_ratio * total_steps)
            share = min(1.0, left / (decay_steps + 1))
        case _:
            share = 1.0
    return recipe.learning_rate * share
