"""The model that a run started from, kept in its folder where no other place has it.

A model whose head was drawn at random exists nowhere else: what is compared with the run later, as the model
before training, must be that very one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

from workbench.private import make_folder, make_private

START = "start"
"""In the run's folder: a model folder as a checkpoint is, without a state to go on from."""


def start_of(run_folder: Path) -> Path | None:
    """The model that was kept in this run's folder; None: the base model itself is what it started from."""
    kept = run_folder / START
    return kept if (kept / "config.json").is_file() else None


def keep_start(run_folder: Path, write_model: Callable[[Path], None]) -> None:
    """Keep the model there, whole or not at all. `write_model` writes it into a folder. Raises OSError."""
    part = run_folder / f".writing-{START}-{token_hex(4)}"
    make_folder(part)
    try:
        write_model(part)
        make_private(part)
        shutil.rmtree(run_folder / START, ignore_errors=True)
        part.rename(run_folder / START)
    finally:
        shutil.rmtree(part, ignore_errors=True)
