"""From what a person asked for to the model that answers: a run's checkpoint, or a model by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import ModelError, StoreError, UsageError

if TYPE_CHECKING:
    from workbench.store import Run, Store

STARTER = "starter"
_RUN = "run:"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """`path`: what to load, a checkpoint's folder or a model's name; `label`: how to call it on a screen.

    `run_id`: the run whose checkpoint it is.
    """

    label: str
    path: str
    run_id: int | None = None


def resolve_model(
    store: Store, run: str | None = None, model: str | None = None, checkpoint_step: int | None = None
) -> ModelChoice:
    """The newest checkpoint of `run` (an id, a name, `latest`; or the one at `checkpoint_step`), or `model`.

    `model` is a hub id, a folder, `starter` or `run:RUN`. With neither: the newest run that has a checkpoint,
    or else the starter. Whether a model by name exists is found out when it is loaded. Raises UsageError when
    both are given or there is no such run, ModelError when the run has no such checkpoint, StoreError when
    its folder is gone.
    """
    if run and model:
        raise UsageError("A run and a model were both given.", "Give --run or --model, not both.")
    if model and model.startswith(_RUN):
        run, model = model.removeprefix(_RUN), None
    if model:
        return ModelChoice(model, model)
    if run:
        return _of_run(store, store.find(run), checkpoint_step)
    for candidate in store.runs():
        if candidate.checkpoint:
            return _of_run(store, candidate, checkpoint_step)
    return ModelChoice(STARTER, STARTER)


def _of_run(store: Store, run: Run, step: int | None) -> ModelChoice:
    assert run.id is not None
    name = f"run {run.id} {run.name}"
    if step is None:
        if not run.checkpoint:
            raise ModelError(
                f"{name} has no checkpoint yet ({run.status}).",
                "The first is saved after an epoch; `mlm-workbench runs` lists the runs.",
            )
        return ModelChoice(name, str(_folder(store, run, run.checkpoint)), run.id)
    saved = {checkpoint.step: checkpoint.path for checkpoint in store.checkpoints(run.id)}
    if step not in saved:
        there = ", ".join(str(one) for one in sorted(saved)) or "none"
        raise ModelError(f"{name} has no checkpoint at step {step}.", f"Steps with one: {there}.")
    return ModelChoice(f"{name} step {step}", str(_folder(store, run, saved[step])), run.id)


def _folder(store: Store, run: Run, saved: str) -> Path:
    """The checkpoint's folder, also where the database was moved together with its `runs`."""
    path = Path(saved)
    moved = store.runs_folder / Path(run.folder).name / path.parent.name / path.name if run.folder else path
    for candidate in (path, moved):
        if candidate.is_dir():
            return candidate.absolute()
    raise StoreError(f"The checkpoint {path} of run {run.id} {run.name} is gone.", "Was its folder deleted?")
