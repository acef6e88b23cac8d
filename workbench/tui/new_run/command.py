"""The command line that starts what a form says."""

from __future__ import annotations

import shlex

from workbench.recipe import Recipe
from workbench.tui.new_run.field import as_text

_FLAGS = {
    "model": "--model",
    "dataset": "--dataset",
    "text_column": "--text-column",
    "train_size": "--train-size",
    "test_size": "--test-size",
    "chunk_size": "--chunk-size",
    "mask_prob": "--mask-prob",
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "learning_rate": "--lr",
    "seed": "--seed",
    "precision": "--precision",
}


def command_of(recipe: Recipe, preset: str, base: Recipe, name: str | None) -> str:
    """The command that starts the same run. `base`: the recipe of `preset`. An empty value means: not set."""
    words = ["mlm-workbench", "train", "--preset", preset]
    before = base.model_dump()
    for field, value in recipe.model_dump().items():
        if value == before[field]:
            continue
        if field in _FLAGS:
            words += [_FLAGS[field], as_text(value)]
        else:
            words += ["--set", f"{field}={as_text(value)}"]
    return shlex.join([*words, "--name", name] if name else words)
