"""Imports a folder of another program as a run in the store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from workbench.errors import UsageError
from workbench.imports.imported_run import ImportedRun
from workbench.imports.tensorboard import event_files, read_tensorboard
from workbench.imports.trainer import read_trainer, state_file
from workbench.metrics import MetricName
from workbench.recipe import Recipe
from workbench.store import Checkpoint, MetricValue, Run, Store
from workbench.store.naming import LONGEST_NAME, checked
from workbench.store.past import IMPORTED
from workbench.stored_recipe import StoredRecipe
from workbench.text import REPLACEMENT, printable

TAG = "imported"
NOTE = (
    "Imported from {kind}: its losses are means over batches, with new masks at every evaluation. "
    "Only the yardstick compares it with other runs."
)


def import_run(
    store: Store, path: Path, name: str | None = None, settings: dict[str, Any] | None = None
) -> Run:
    """Store the training in `path` as a finished run.

    `settings`: recipe fields that override the folder's. Raises UsageError when there is nothing to import,
    it was imported before, or a setting is invalid.
    """
    imported = read(path)
    for run in store.runs(include_archived=True):
        if (run.environment.get(IMPORTED) or {}).get("fingerprint") == imported.fingerprint:
            raise UsageError(
                f"{path} was already imported as run {run.id} {run.name}.",
                f"To import it again, first: mlm-workbench delete {run.id}",
            )
    values = [MetricValue(*value) for value in imported.values]
    return store.past.add_imported(
        name,
        _usable_name(imported.path.name),
        tags=[TAG],
        values=values,
        checkpoints=_checkpoints(imported),
        columns=_columns(imported, settings or {}),
    )


def read(path: Path) -> ImportedRun:
    """Read the training in `path`. Raises UsageError if there is nothing to import."""
    folder = path.expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {path}.", "Name a Trainer's output folder or a TensorBoard log."
        )
    if state := state_file(folder):
        return read_trainer(folder, state)
    if event_files(folder):
        return read_tensorboard(folder)
    raise UsageError(
        f"{path} holds neither a trainer_state.json nor TensorBoard's event files.",
        "Name the folder that contains them.",
    )


def _checkpoints(imported: ImportedRun) -> list[Checkpoint]:
    tested = {
        value.step: value.value for value in imported.values if value.name == MetricName.EVAL_PERPLEXITY
    }
    return [
        Checkpoint(
            step=saved.step,
            epoch=saved.epoch,
            path=str(saved.path),
            eval_perplexity=tested.get(saved.step),
            best=saved.best,
            created_at=saved.path.stat().st_mtime,
        )
        for saved in imported.checkpoints
    ]


def _columns(imported: ImportedRun, settings: dict[str, Any]) -> dict[str, Any]:
    recipe = {**imported.recipe, **settings}
    valid = Recipe().with_changes(**recipe).model_dump(mode="json")
    last = {value.name: value.value for value in imported.values}
    tested = [value for value in imported.values if value.name == MetricName.EVAL_PERPLEXITY]
    before = [value.value for value in tested if value.step == 0]
    return {
        # unknown fields are left out: their defaults may be wrong
        "recipe": StoredRecipe({field: valid[field] for field in valid if field in recipe}),
        "environment": {
            IMPORTED: {"from": imported.kind, "path": str(imported.path), "fingerprint": imported.fingerprint}
        },
        "note": NOTE.format(kind=imported.kind),
        "started_at": imported.started_at,
        "ended_at": imported.ended_at or time.time(),
        "step": max((value.step for value in imported.values), default=None),
        "epoch": max((value.epoch for value in imported.values), default=None),
        "total_steps": imported.total_steps,
        "baseline_perplexity": before[-1] if before else None,
        "eval_perplexity": last.get(MetricName.EVAL_PERPLEXITY),
        "best_eval_perplexity": min((value.value for value in tested), default=None),
        "train_perplexity": last.get(MetricName.TRAIN_PERPLEXITY),
    }


def _usable_name(wanted: str) -> str:
    """A valid run's name close to a folder's name."""
    plain = printable(wanted).replace(REPLACEMENT, "").strip()[: LONGEST_NAME - 10]
    try:
        return checked(plain)
    except UsageError:  # for example a number, which means a run's id
        return f"imported {plain}".strip()
