"""Train a recipe with no store and no screen: events as JSON lines on standard output.

accelerate launch --num_processes 2 -m workbench.training recipe.toml FOLDER
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.events import Event
from workbench.paths import cache_folder
from workbench.recipe import Recipe
from workbench.training import checkpoint
from workbench.training.engine import train


def print_event(event: Event) -> None:
    """One event as one line: {"event": its name, its fields}."""
    print(json.dumps({"event": type(event).__name__, **dataclasses.asdict(event)}, default=str), flush=True)


def main(arguments: list[str]) -> int:
    """RECIPE.toml FOLDER: train, or go on where FOLDER's newest checkpoint stands. Returns the exit code."""
    if len(arguments) != 2:
        print("usage: python -m workbench.training RECIPE.toml FOLDER", file=sys.stderr)
        return 2
    try:
        recipe, folder = Recipe.load(Path(arguments[0])), Path(arguments[1])
        resume_from, _ = checkpoint.newest_resumable(folder)
        outcome = train(recipe, folder, print_event, cache=cache_folder(), resume_from=resume_from)
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(json.dumps({"event": "Outcome", "outcome": outcome}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
