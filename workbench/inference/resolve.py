"""Resolves what a person typed to a model: a run's checkpoint, or a model by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.caveats import untrained_base
from workbench.errors import ModelError, StoreError, UsageError
from workbench.pretrained.start import start_of
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.store import Run, Store

STARTER = "starter"
BEST, LAST, BASE = "best", "last", "base"
_RUN = "run:"
_CHECKPOINT = re.compile(rf".@(\d+|{BEST}|{LAST}|{BASE})$", re.ASCII)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """`path`: what to load, a checkpoint's folder or a model's name; `label`: its name on a screen.

    `run_id`: the run of the checkpoint, if it is one.
    """

    label: str
    path: str
    run_id: int | None = None


def resolve_model(
    store: Store, run: str | None = None, model: str | None = None, checkpoint: int | str | None = None
) -> ModelChoice:
    """A checkpoint of `run` (an id, a name, `latest`), or `model`.

    `checkpoint`: its step, `best` by test perplexity, `last` (also None), or `base`: the model that the run
    started from. `model`: a hub id, a folder, `starter`, `run:RUN` or `run:RUN@CHECKPOINT`. With neither: the
    newest run with a checkpoint, or else the starter. A named model is checked only when it is loaded.

    Raises UsageError for both, for an unknown run, or for a checkpoint of a model; ModelError when the run
    has no such checkpoint, StoreError when its folder is missing.
    """
    if run and model:
        raise UsageError("Both a run and a model are given.", "Use --run or --model, not both.")
    if model and model.startswith(_RUN):
        run, model = model.removeprefix(_RUN), None
        run, at, chosen = run.rpartition("@") if _CHECKPOINT.search(run) else (run, "", "")
        checkpoint = chosen if at else checkpoint
    if model:
        if checkpoint is not None:
            raise UsageError("A checkpoint belongs to a run.", "Use it with --run, not --model.")
        return ModelChoice(model, model)
    if run:
        return _of_run(store, store.find(run), checkpoint)
    newest = next(iter(store.past.models(limit=1)), None)
    if newest:
        return _of_run(store, store.run(newest.id), checkpoint)
    return ModelChoice(STARTER, STARTER)


def base_of(run: Run) -> str:
    """The folder or name of the model that a run started from, with its new head if it had none."""
    kept = start_of(Path(run.folder)) if run.folder else None
    # for a recipe with run:RUN, the worker has recorded which checkpoint that was
    return str(kept or run.environment.get("base_model") or run.recipe.model)


def _of_run(store: Store, run: Run, wanted: int | str | None) -> ModelChoice:
    name = f"run {run.id} {run.name}"
    if wanted == BASE:
        why = untrained_base(run.recipe, run.engine)
        return ModelChoice(f"{run.recipe.model} (base{f', {why}' if why else ''})", base_of(run))
    if wanted in (None, LAST):
        if not run.checkpoint:
            raise ModelError(
                f"{name} has no checkpoint yet ({run.status}).",
                "The first one is saved after an epoch; `mlm-workbench runs` lists the runs.",
            )
        return ModelChoice(name, str(_folder(run, run.checkpoint)), run.id)
    saved = store.checkpoints(run.id)
    best = store.best_checkpoint(run.id) if wanted == BEST else None
    for checkpoint in saved:
        if (best is not None and checkpoint.step == best.step) or str(wanted) == str(checkpoint.step):
            label = f"{name} {BEST if wanted == BEST else f'step {wanted}'}"
            return ModelChoice(label, str(_folder(run, checkpoint.path)), run.id)
    steps = ", ".join(str(checkpoint.step) for checkpoint in saved) or "none"
    missing = "best checkpoint" if wanted == BEST else f"checkpoint at step {printable(str(wanted))}"
    raise ModelError(f"{name} has no {missing}.", f"Steps with one: {steps}.")


def _folder(run: Run, saved: str) -> Path:
    path = Path(saved)
    if path.is_dir():
        return path.absolute()
    raise StoreError(f"The checkpoint {path} of run {run.id} {run.name} is gone.", "Was its folder deleted?")
