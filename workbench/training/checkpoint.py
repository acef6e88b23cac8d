"""Checkpoints: a Hugging Face model folder with the training state, written whole or not at all.

    checkpoints/step-00000150/      config.json, model.safetensors, tokenizer files
                      state/        optimizer.safetensors, progress.json
                      manifest.json sha256 of every file
                latest              the name of the newest whole checkpoint
                best                the name of the one with the lowest test perplexity

A folder is written under a temporary name, flushed to disk, renamed, and only then named in `latest`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from workbench.errors import TrainingError
from workbench.private import file_mode, folder_mode, make_folder, make_private

FOLDER, MANIFEST, STATE, TEMPORARY = "checkpoints", "manifest.json", "state", ".writing-"
_NEEDED = frozenset({"config.json", f"{STATE}/optimizer.safetensors", f"{STATE}/progress.json"})
"""Files that every manifest lists. Weights are not among them: a large model has several weight files."""
STATES_KEPT = 2
"""Optimizer states take twice the model's space, so only the newest checkpoint and one before keep theirs."""


@dataclass
class TrainingState:
    """Where a training stands after `step` optimizer steps. Losses in nats."""

    step: int = 0
    evaluated_step: int = -1
    best_eval_loss: float | None = None
    best_saved_loss: float | None = None  # the lowest of those that a checkpoint was saved with
    evaluations_without_gain: int = 0
    epoch_loss_sum: float = 0.0
    epoch_masked: float = 0.0
    gradient_accumulation: int = 1
    batch_size: int = 1
    baseline_loss: float | None = None
    last_eval_loss: float | None = None
    corpus_fingerprint: str = ""
    finished: bool = False
    grad_scaler: dict[str, Any] | None = None
    drawn: list[str] = field(default_factory=list)  # parameters without weights in the base model


def save(
    run_folder: Path,
    state: TrainingState,
    optimizer: dict[str, Tensor],
    write_model: Callable[[Path], None],
    *,
    best: bool,
) -> Path:
    """Write a whole checkpoint and return its folder. Raises OSError when the disk refuses.

    `write_model` writes the model and tokenizer into a folder; `optimizer` is flat, name to tensor.
    """
    parent = run_folder / FOLDER
    make_folder(parent)
    name = f"step-{state.step:08d}"
    temporary, final = parent / (TEMPORARY + name), parent / name
    _remove_unfinished(parent)
    try:
        temporary.mkdir(mode=folder_mode())
        write_model(temporary)
        make_folder(temporary / STATE)
        save_file(optimizer, temporary / STATE / "optimizer.safetensors")
        (temporary / STATE / "progress.json").write_text(json.dumps(asdict(state)), encoding="utf-8")
        _write_manifest(temporary)
        make_private(temporary)
        _flush_tree(temporary)
        if final.exists():  # written at this step before; the run was then resumed from an older checkpoint
            shutil.rmtree(final)
        temporary.rename(final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _flush(parent)
    _point(parent / "latest", name)
    if best:
        _point(parent / "best", name)
    _drop_old_states(parent)
    return final


def whole_checkpoints(run_folder: Path) -> list[Path]:
    """The completed checkpoints, oldest first. Their contents are not checked here."""
    parent = run_folder / FOLDER
    return sorted(path for path in parent.glob("step-*") if (path / MANIFEST).is_file())


def damage(checkpoint: Path) -> str:
    """How a checkpoint is damaged ("" when every file is as it was written)."""
    try:
        manifest = dict(json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        manifest = {}
    if not manifest.keys() >= _NEEDED:
        return f"{checkpoint.name} has no readable {MANIFEST}"
    for name, digest in manifest.items():
        file = checkpoint / name
        if not file.is_file():
            if Path(name).parts[0] == STATE:
                return f"{checkpoint.name} no longer has its optimizer state"
            return f"{checkpoint.name} lacks {name}"
        if _sha256(file) != digest:
            return f"{name} of {checkpoint.name} was changed or damaged after it was written"
    return ""


def newest_resumable(run_folder: Path) -> tuple[Path | None, list[str]]:
    """The newest undamaged checkpoint that has its state, and why newer ones were skipped."""
    skipped: list[str] = []
    for checkpoint in reversed(whole_checkpoints(run_folder)):
        problem = damage(checkpoint)
        if not problem:
            return checkpoint, skipped
        skipped.append(problem)
    return None, skipped


def load_state(checkpoint: Path) -> tuple[TrainingState, dict[str, Tensor]]:
    """Read the training state and the optimizer's tensors. Raises TrainingError for a damaged checkpoint."""
    problem = damage(checkpoint)
    if problem:
        raise TrainingError(f"Cannot resume from this checkpoint: {problem}.", "Resume from an earlier one.")
    return load_progress(checkpoint), load_file(checkpoint / STATE / "optimizer.safetensors")


def load_progress(checkpoint: Path) -> TrainingState:
    """The training state without the optimizer's tensors. The checkpoint is not checked for damage."""
    return TrainingState(**json.loads((checkpoint / STATE / "progress.json").read_text(encoding="utf-8")))


def flat_optimizer(optimizer: torch.optim.Optimizer, names: dict[Tensor, str]) -> dict[str, Tensor]:
    """AdamW's state as "PARAMETER/exp_avg" and the like, on the CPU. `names`: parameter to its name."""
    return {
        f"{names[parameter]}/{key}": value.detach().cpu().contiguous()
        for parameter, entries in optimizer.state.items()
        for key, value in entries.items()
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, names: dict[Tensor, str], flat: dict[str, Tensor]
) -> None:
    """Load a flat state into `optimizer`, each tensor onto its parameter's device."""
    parameters = {name: parameter for parameter, name in names.items()}
    for path, value in flat.items():
        name, _, key = path.rpartition("/")
        parameter = parameters[name]
        optimizer.state[parameter][key] = value.to(parameter.device)


def has_best(run_folder: Path) -> bool:
    """Whether a checkpoint of the run was marked as its best."""
    return (run_folder / FOLDER / "best").is_file()


def mark_best(checkpoint: Path) -> None:
    """Let `best` name this checkpoint, which is in place."""
    _point(checkpoint.parent / "best", checkpoint.name)


def _write_manifest(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {path.relative_to(folder).as_posix(): _sha256(path) for path in files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _flush(path)
    _flush(folder)


def _point(pointer: Path, name: str) -> None:
    temporary = pointer.with_name(TEMPORARY + pointer.name)
    temporary.touch(mode=file_mode())
    temporary.write_text(json.dumps({"name": name}), encoding="utf-8")
    _flush(temporary)
    temporary.replace(pointer)
    _flush(pointer.parent)


def _remove_unfinished(parent: Path) -> None:
    """Remove what an earlier process was writing when it died."""
    for path in parent.glob(TEMPORARY + "step-*"):
        shutil.rmtree(path, ignore_errors=True)


def _drop_old_states(parent: Path) -> None:
    with_state = sorted(path for path in parent.glob("step-*") if (path / STATE).is_dir())
    for checkpoint in with_state[:-STATES_KEPT]:
        shutil.rmtree(checkpoint / STATE, ignore_errors=True)
