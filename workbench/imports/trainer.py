"""Reads the output folder of Hugging Face's Trainer: trainer_state.json, and checkpoint-N folders.

training_args.bin beside them is a pickle, which can run code when it is read: it is never opened.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.imports.imported_run import (
    LARGEST_STEP,
    NAMES,
    ImportedRun,
    Saved,
    value_at,
    with_perplexities,
)

STATE = "trainer_state.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d{1,12})", re.ASCII)
_LONGEST_STATE = 256 << 20  # bytes


def checkpoint_folders(folder: Path) -> list[tuple[int, Path]]:
    """The checkpoint-N folders with their steps, in order."""
    named = ((_CHECKPOINT.fullmatch(path.name), path) for path in folder.iterdir() if path.is_dir())
    return sorted((int(match[1]), path) for match, path in named if match)


def state_file(folder: Path) -> Path | None:
    """The log of the whole training: in the folder itself, or in its newest checkpoint."""
    places = [folder, *(path for _, path in reversed(checkpoint_folders(folder)))]
    return next((place / STATE for place in places if (place / STATE).is_file()), None)


def read_trainer(folder: Path, state: Path) -> ImportedRun:
    """Read the folder. Raises WorkbenchError when `state` was not written by the Trainer."""
    try:
        if state.stat().st_size > _LONGEST_STATE:
            raise WorkbenchError(f"{state} is too large for a Trainer's log.")
        content = state.read_bytes()
        log = json.loads(content)
        values = [
            value
            for entry in log["log_history"]
            for name, number in entry.items()
            if name in NAMES and (value := value_at(NAMES[name], entry["step"], entry.get("epoch"), number))
        ]
        best = Path(str(log.get("best_model_checkpoint") or "")).name
        epochs = {value.step: value.epoch for value in values}
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise WorkbenchError(
            f"{state} is not a log of Hugging Face's Trainer, or is damaged.",
            "Copy it again.",
        ) from error
    checkpoints = [
        Saved(step, epochs.get(step, 0.0), path, path.name == best)
        for step, path in checkpoint_folders(folder)
        if has_model(path)
    ]
    return ImportedRun(
        kind="Hugging Face Trainer",
        path=folder,
        fingerprint=hashlib.sha256(content).hexdigest(),
        recipe=_recipe(log, folder, checkpoints),
        values=with_perplexities(values),
        checkpoints=checkpoints,
        total_steps=_whole(log.get("max_steps"), LARGEST_STEP),
        ended_at=state.stat().st_mtime,
    )


def has_model(folder: Path) -> bool:
    """Whether the folder has a model that can be read without a pickle."""
    weights = ("model.safetensors", "model.safetensors.index.json")
    return (folder / "config.json").is_file() and any((folder / name).is_file() for name in weights)


def _recipe(log: Any, folder: Path, checkpoints: list[Saved]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "epochs": _whole(log.get("num_train_epochs"), 10_000),
        "batch_size": _whole(log.get("train_batch_size"), 65_536),
        "model": _base(checkpoints[-1].path if checkpoints else folder),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _base(folder: Path) -> str | None:
    """The model that the training started from, if its configuration still names it."""
    try:
        name = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("_name_or_path")
    except (OSError, ValueError, AttributeError):
        return None
    return name if isinstance(name, str) and name else None


def _whole(value: Any, most: int) -> int | None:
    return int(value) if isinstance(value, int | float) and 1 <= value <= most else None
