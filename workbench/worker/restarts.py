"""A job that Slurm starts again and again, although it never comes to a new checkpoint, is ended."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import TrainingError
from workbench.private import write_whole

MOST = 3
"""Restarts from the same checkpoint. Counted by Slurm, so kills and failing nodes count too."""
_FILE = "restarts.json"
_CHECKPOINTS = "checkpoints"


def check_restarts(folder: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Raise TrainingError when this job was restarted MOST times without a new checkpoint between.

    `folder`: the run's, which remembers it. Does nothing outside Slurm. Raises OSError.
    """
    job = environment.get("SLURM_JOB_ID")
    if job is None:
        return
    restarts, checkpoint = int(environment.get("SLURM_RESTART_COUNT") or 0), _newest(folder)
    counted = _read(folder / _FILE)
    if restarts == 0 or (counted.get("job"), counted.get("checkpoint")) != (job, checkpoint):
        now = {"job": job, "checkpoint": checkpoint, "restarts": restarts}
        write_whole(folder / _FILE, json.dumps(now).encode())
        return
    before = counted.get("restarts")
    if restarts - (before if isinstance(before, int) else 0) >= MOST:
        raise TrainingError(
            f"Slurm started its job {MOST} times again without a new checkpoint between.",
            "Ask for more time, or set checkpoint_every to save a checkpoint sooner.",
        )


def _newest(folder: Path) -> str:
    """The name of the newest checkpoint; "" for none."""
    try:
        names = [path.name for path in (folder / _CHECKPOINTS).iterdir() if path.name.startswith("step-")]
    except OSError:
        return ""
    return max(names, key=lambda name: (len(name), name), default="")


def _read(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
