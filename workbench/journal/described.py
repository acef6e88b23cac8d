"""`job.json` in a run's folder: the run as it was when its worker was last sent off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

JOB = "job.json"
FORMAT = 1
_COLUMNS = ("id", "name", "created_at", "tags", "note", "environment", "segment", "started_at")
_KINDS: dict[str, type | tuple[type, ...]] = {
    "id": int,
    "name": str,
    "created_at": (int, float),
    "tags": list,
    "environment": dict,
    "segment": int,
    "recipe": dict,
}
_LARGEST = 64 << 20


def describe(run: Mapping[str, Any], recipe: dict[str, Any], model: str | None) -> dict[str, Any]:
    """The contents. run: its columns. model: the folder of the model `run:RUN`."""
    return {**{name: run[name] for name in _COLUMNS}, "recipe": recipe, "model": model}


def read_described(folder: Path) -> dict[str, Any]:
    """What a folder's `job.json` says. Raises OSError, ValueError."""
    with (folder / JOB).open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError("it is too large")
    try:
        described = json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(described, dict) or not isinstance(described.get("format"), int):
        raise ValueError("it does not describe a run")
    if described["format"] > FORMAT:
        raise ValueError("a newer version of mlm-workbench wrote it")
    for name, kind in _KINDS.items():
        if not isinstance(described.get(name), kind):
            raise ValueError(f"{name} is missing")
    return described
