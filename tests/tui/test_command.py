"""The command line that a form stands for starts the very same recipe."""

from __future__ import annotations

import shlex

import pytest

from workbench import presets
from workbench.cli.settings import changes_of
from workbench.cli.train import chosen_recipe
from workbench.recipe import PRESETS, Recipe
from workbench.tui.new_run.command import command_of

STARTER = PRESETS["starter"]


def read_back(command: str) -> Recipe:
    """What `train` makes of the command, by its own reading of flags."""
    words = shlex.split(command)
    assert words[:3] == ["mlm-workbench", "train", "--preset"]
    flags = list(zip(words[4::2], words[5::2], strict=True))
    named = {flag.removeprefix("--").replace("-", "_"): value for flag, value in flags if flag != "--set"}
    named.pop("name", None)
    if "lr" in named:
        named["learning_rate"] = named.pop("lr")
    return chosen_recipe(
        words[3], None, named | changes_of(value for flag, value in flags if flag == "--set")
    )


def test_what_is_as_in_the_preset_is_not_repeated() -> None:
    assert command_of(STARTER, "starter", STARTER, None) == "mlm-workbench train --preset starter"
    changed = STARTER.with_changes(epochs=2, learning_rate=1.23e-5, dataset="my texts/*.txt")
    assert shlex.split(command_of(changed, "starter", STARTER, "a name"))[4:] == [
        "--epochs",
        "2",
        "--lr",
        "1.23e-05",
        "--dataset",
        "my texts/*.txt",
        "--name",
        "a name",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"weight_decay": 0.1 + 0.2, "schedule": "cosine", "max_steps": 7},
        {"train_size": None, "text_column": None, "test_size": 0.25},
        {"model": "run:3", "dataset": "/a b/$HOME/*.txt", "adam_epsilon": 1e-12},
    ],
)
@pytest.mark.parametrize("preset", ["starter", "xsum", "mine"])
def test_it_says_all_of_the_recipe(preset: str, changes: dict[str, object]) -> None:
    presets.save("mine", STARTER.with_changes(mask_share=0.5, keep_share=0.4))
    base = presets.load(preset)
    recipe = base.with_changes(**changes)
    assert read_back(command_of(recipe, preset, base, "x")) == recipe
