"""From a folder that another program left to a run in the store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from workbench.errors import UsageError
from workbench.imports.found import Found
from workbench.imports.tensorboard import event_files, read_tensorboard
from workbench.imports.trainer import read_trainer, state_file
from workbench.metrics import MetricName
from workbench.recipe import Recipe
from workbench.store import Checkpoint, MetricValue, Run, Store
from workbench.store.naming import LONGEST_NAME, checked
from workbench.store.past import IMPORTED
from workbench.text import REPLACEMENT, printable

TAG = "imported"
NOTE = (
    "Imported from {kind}: its losses are means over batches, with masks drawn anew at every evaluation. "
    "Only the yardstick compares it with other runs."
)


def import_run(
    store: Store, path: Path, name: str | None = None, settings: dict[str, Any] | None = None
) -> Run:
    """Store the training that `path` tells of as a run that has ended.

    `settings`: recipe fields that the folder does not tell; they go before what it tells. Raises
    UsageError when there is nothing to import, it was imported before, or a setting is wrong.
    """
    found = read(path)
    for run in store.runs(include_archived=True):
        if (run.environment.get(IMPORTED) or {}).get("fingerprint") == found.fingerprint:
            raise UsageError(
                f"{path} was imported before, as run {run.id} {run.name}.",
                f"To import it anew, first: mlm-workbench delete {run.id}",
            )
    values = [MetricValue(*one) for one in found.values]
    return store.past.add_imported(
        name,
        _usable_name(found.path.name),
        tags=[TAG],
        values=values,
        checkpoints=_checkpoints(found),
        columns=_columns(found, settings or {}),
    )


def read(path: Path) -> Found:
    """What lies in `path`. Raises UsageError when it is nothing that can be imported."""
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
        "Name the folder that they lie in.",
    )


def _checkpoints(found: Found) -> list[Checkpoint]:
    tested = {one.step: one.value for one in found.values if one.name == MetricName.EVAL_PERPLEXITY}
    return [
        Checkpoint(
            step=saved.step,
            epoch=saved.epoch,
            path=str(saved.path),
            eval_perplexity=tested.get(saved.step),
            best=saved.best,
            created_at=saved.path.stat().st_mtime,
        )
        for saved in found.checkpoints
    ]


def _columns(found: Found, settings: dict[str, Any]) -> dict[str, Any]:
    known = {**found.recipe, **settings}
    valid = Recipe().with_changes(**known).model_dump(mode="json")
    last = {one.name: one.value for one in found.values}
    tested = [one for one in found.values if one.name == MetricName.EVAL_PERPLEXITY]
    before = [one.value for one in tested if one.step == 0]
    return {
        # what is not known is left out: a default would claim what nobody measured
        "recipe": {field: valid[field] for field in valid if field in known},
        "environment": {
            IMPORTED: {"from": found.kind, "path": str(found.path), "fingerprint": found.fingerprint}
        },
        "note": NOTE.format(kind=found.kind),
        "started_at": found.started_at,
        "ended_at": found.ended_at or time.time(),
        "step": max((one.step for one in found.values), default=None),
        "epoch": max((one.epoch for one in found.values), default=None),
        "total_steps": found.total_steps,
        "baseline_perplexity": before[-1] if before else None,
        "eval_perplexity": last.get(MetricName.EVAL_PERPLEXITY),
        "best_eval_perplexity": min((one.value for one in tested), default=None),
        "train_perplexity": last.get(MetricName.TRAIN_PERPLEXITY),
    }


def _usable_name(wanted: str) -> str:
    """A folder's name as a run's, as near to it as a run may be called."""
    plain = printable(wanted).replace(REPLACEMENT, "").strip()[: LONGEST_NAME - 10]
    try:
        return checked(plain)
    except UsageError:  # a number, say, which would be taken for an id
        return f"imported {plain}".strip()
