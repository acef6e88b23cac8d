"""The description of a run in its folder, for a worker that cannot open the store."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from workbench.errors import StoreError, WorkbenchError
from workbench.inference.resolve import resolve_model
from workbench.journal.described import FORMAT, JOB, describe, read_described
from workbench.private import write_whole
from workbench.store import Run, Store

STOP = "stop"
"""The file in a run's folder that asks the run to stop."""


def write_job(store: Store, run: Run) -> None:
    """Write the run's `job.json`. Raises OSError."""
    model = None
    if run.recipe.model is not None and str(run.recipe.model).startswith("run:"):
        with contextlib.suppress(WorkbenchError):  # gone: a run that continues from a checkpoint does without
            model = resolve_model(store, model=str(run.recipe.model)).path
    described: dict[str, Any] = describe(run.model_dump(), dict(run.recipe), model)
    content = json.dumps({"format": FORMAT, **described}, ensure_ascii=False, indent=1)
    write_whole(Path(run.folder) / JOB, content.encode("utf-8", "replace"))


def stop_was_asked(folder: Path) -> bool:
    """Whether the user asked a run without access to the store to stop."""
    try:
        return (folder / STOP).exists()
    except OSError:
        return False


def described_run(folder: Path) -> dict[str, Any]:
    """Read the description that `write_job` wrote. Raises StoreError."""
    try:
        return read_described(folder)
    except (OSError, ValueError) as error:
        raise StoreError(f"Cannot read {folder / JOB}: {error}.", "Submit the run again.") from error
