"""Trains a recipe without store or screen: events as JSON lines on standard output.

torchrun --standalone --nproc-per-node 2 -m workbench.training recipe.toml FOLDER

SIGTERM and Ctrl-C save a checkpoint; the same command goes on from it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.events import Event
from workbench.paths import cache_folder
from workbench.recipe import Recipe
from workbench.training import checkpoint
from workbench.training.engine import train


def print_event(event: Event) -> None:
    """Print an event as one line: {"event": class name, fields…}."""
    print(json.dumps({"event": type(event).__name__, **dataclasses.asdict(event)}, default=str), flush=True)


def main(arguments: list[str]) -> int:
    """RECIPE.toml FOLDER: train, or resume from FOLDER's newest checkpoint. Returns the exit code."""
    if len(arguments) != 2:
        print("usage: python -m workbench.training RECIPE.toml FOLDER", file=sys.stderr)
        return 2
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.append(1))
    leads = os.environ.get("RANK", "0") == "0"
    try:
        recipe, folder = Recipe.load(Path(arguments[0])), Path(arguments[1])
        resume_from, _ = checkpoint.newest_resumable(folder)
        outcome = train(
            recipe,
            folder,
            print_event,
            cache=cache_folder(),
            should_stop=lambda: bool(asked),
            resume_from=resume_from,
        )
    except WorkbenchError as error:
        if leads:
            print(error, file=sys.stderr)
        return error.exit_code
    if leads:
        print(json.dumps({"event": "Outcome", "outcome": outcome}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
