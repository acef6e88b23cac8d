"""Keeps the model that a run started from in the run's folder, if it exists nowhere else.

A head drawn at random exists nowhere else, and later comparisons of the run with its base need exactly that
model.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

from workbench.private import make_folder, make_private

START = "start"
"""A model folder in the run's folder, like a checkpoint but without the training state."""


def start_of(run_folder: Path) -> Path | None:
    """The starting model kept in this run's folder; None if the run started from its base model unchanged."""
    kept = run_folder / START
    return kept if (kept / "config.json").is_file() else None


def keep_start(run_folder: Path, write_model: Callable[[Path], None]) -> None:
    """Save the starting model atomically. `write_model` writes it into a folder. Raises OSError."""
    part = run_folder / f".writing-{START}-{token_hex(4)}"
    make_folder(part)
    try:
        write_model(part)
        make_private(part)
        shutil.rmtree(run_folder / START, ignore_errors=True)
        part.rename(run_folder / START)
    finally:
        shutil.rmtree(part, ignore_errors=True)
