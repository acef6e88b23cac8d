"""This process's rank among the processes of a run, from the environment of torchrun or Slurm."""

from __future__ import annotations

import json
import os
import time
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

from workbench.errors import WorkbenchError

LOST = 76
"""Exit code of a process that ended because another process of its run failed."""
_OF_SLURM = {
    "RANK": "SLURM_PROCID",
    "WORLD_SIZE": "SLURM_STEP_NUM_TASKS",
    "LOCAL_RANK": "SLURM_LOCALID",
}
"""Set by srun for each task; in a batch script itself there is no SLURM_STEP_NUM_TASKS."""
_ERROR_FILE = "TORCHELASTIC_ERROR_FILE"


def own_rank(environment: MutableMapping[str, str] = os.environ) -> int:
    """This process's rank: 0 leads the run's processes, or is alone.

    Under srun, RANK, WORLD_SIZE and LOCAL_RANK are set from Slurm's variables where they are missing.
    """
    if "RANK" not in environment and all(name in environment for name in _OF_SLURM.values()):
        for name, theirs in _OF_SLURM.items():
            environment[name] = environment[theirs]
    return int(environment.get("RANK") or 0)


def forget_rank(environment: MutableMapping[str, str]) -> None:
    """Remove the variables that make a process one of several."""
    for name in (*_OF_SLURM, *_OF_SLURM.values()):
        environment.pop(name, None)


def leave_words(error: BaseException) -> None:
    """Write an error where torchrun looks for the message of a failed process."""
    path = os.environ.get(_ERROR_FILE)
    if not path:
        return
    message, hint = (error.message, error.hint) if isinstance(error, WorkbenchError) else (str(error), "")
    kind = "" if isinstance(error, WorkbenchError) else type(error).__name__
    first_line = next(iter(message.strip().splitlines()), "")
    words = {
        "message": f"{kind}: {first_line}" if kind else message,
        "extraInfo": {"hint": hint, "timestamp": int(time.time())},
    }
    with suppress(OSError):  # the log has them too
        Path(path).write_text(json.dumps({"message": words}), encoding="utf-8")
