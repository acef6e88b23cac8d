"""Exports a run's checkpoint as a model folder, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from workbench.analysis.against_base import against_base
from workbench.analysis.differences import is_imported
from workbench.document_hashes import FILE as DOCUMENTS
from workbench.errors import ModelError, UsageError, WorkbenchError
from workbench.exports import sentences
from workbench.exports.card import CardFacts, model_card
from workbench.exports.shareable import clean_json, shareable_recipe
from workbench.inference.resolve import resolve_model
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.private import make_private
from workbench.store import Checkpoint, Run, Store

CARD, RECIPE = "README.md", "recipe.toml"
_MANIFEST, _STATE = "manifest.json", "state"
_LONGEST_CHAIN = 100  # runs that continue runs


def export_run(
    store: Store, run: Run, folder: Path, *, checkpoint: int | str | None = None, replace: bool = False
) -> Checkpoint:
    """Write the model, its card and its recipe to a new `folder`. Returns the exported checkpoint.

    `checkpoint`: a step, `best`, or `last` (also None). `replace`: replace an earlier export there. Raises
    UsageError if the folder holds something else, ModelError if the checkpoint is missing or damaged,
    WorkbenchError if the disk refuses.
    """
    if is_imported(run):  # a card could only guess how it was trained
        raise UsageError(
            f"Run {run.id} {run.name} was imported, so how its model was trained is unknown.",
            f"Its model is in {run.checkpoint}." if run.checkpoint else "",
        )
    folder = folder.expanduser().absolute()
    _check_place(folder, replace)
    saved, source = checkpoint_of(store, run, checkpoint)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.writing-", dir=folder.parent) as temporary:
            written = Path(temporary) / "model"
            _write(store, run, saved, source, written)
            if replace and folder.exists():
                folder.rename(Path(temporary) / "before")
            written.rename(folder)
    except OSError as error:
        raise WorkbenchError(
            f"Cannot write the model to {folder}: {error.strerror or error}.",
            "Free some space or choose another folder.",
        ) from error
    return saved


def _check_place(folder: Path, replace: bool) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is not a folder.", "Name a new folder.")
    if folder == Path.cwd():
        raise UsageError("Cannot export to the current folder.", "Name a new folder in it.")
    there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if not there:
        return
    if not replace:
        raise UsageError(f"The folder {folder} is not empty ({there[0]}).", "Name another, or use --force.")
    if not {CARD, RECIPE, "config.json"} <= set(there):
        raise UsageError(
            f"The folder {folder} is not empty and not an earlier export: --force would delete {there[0]}.",
            "Name another folder.",
        )
    own = {CARD, RECIPE, DOCUMENTS, *sentences.FILES}
    foreign = [
        name for name in there if name not in own and Path(name).suffix not in {".json", ".safetensors"}
    ]
    foreign = [name for name in foreign if not name.endswith((".txt", ".model"))]
    if foreign:
        raise UsageError(
            f"The folder {folder} has {foreign[0]} besides an earlier export: --force would delete it.",
            "Move it away, or name another folder.",
        )


def checkpoint_of(store: Store, run: Run, wanted: int | str | None) -> tuple[Checkpoint, Path]:
    """The chosen checkpoint, as in `export_run`, and its folder. Raises ModelError."""
    source = Path(resolve_model(store, run=str(run.id), checkpoint=wanted).path)
    checkpoints = store.checkpoints(run.id)
    saved = next((saved for saved in checkpoints if Path(saved.path).name == source.name), None)
    if saved is None:
        raise ModelError(f"The checkpoint {source.name} of run {run.id} is not in the database.")
    return saved, source


def _write(store: Store, run: Run, saved: Checkpoint, source: Path, folder: Path) -> None:
    from workbench.pretrained.model import load_config, usable_positions

    _copy_whole(source, folder)
    if (Path(run.folder) / DOCUMENTS).is_file():  # a run on this model is to know what it was trained on
        shutil.copyfile(Path(run.folder) / DOCUMENTS, folder / DOCUMENTS)
    config, tokenizer = load_config(str(folder)), load_tokenizer(str(folder), None)
    limits = [tokenizer.model_max_length, usable_positions(config) or tokenizer.model_max_length]
    limit = min(limits) if min(limits) < 1_000_000 else None  # a tokenizer without a limit has a huge number
    sentences.write(folder, width=int(config.get_text_config().hidden_size), max_tokens=limit)
    (folder / RECIPE).write_text(shareable_recipe(run).to_toml(), encoding="utf-8")
    facts = _facts(store, run, saved, str(tokenizer.mask_token))
    card = model_card(facts, against_base(store, run, saved.step))
    (folder / CARD).write_text(card, encoding="utf-8")
    make_private(folder)


def _copy_whole(source: Path, folder: Path) -> None:
    """Copy a checkpoint's model and tokenizer, without the training state. Raises ModelError."""
    try:
        digests = dict(json.loads((source / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"The checkpoint {source.name} has no readable {_MANIFEST}.") from error
    for name, digest in sorted(digests.items()):
        if Path(name).parts[0] == _STATE:
            continue
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ModelError(f"The {_MANIFEST} of {source.name} names {name}, which is not in it.")
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source / name, copy)
        except FileNotFoundError as error:
            raise ModelError(f"The checkpoint {source.name} lacks {name}.", "Export another one.") from error
        with copy.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise ModelError(
                    f"{name} of {source.name} changed or was damaged after it was written.",
                    "Export another checkpoint: --checkpoint STEP.",
                )
        if copy.suffix == ".json":
            clean_json(copy)


def _facts(store: Store, run: Run, saved: Checkpoint, mask_token: str) -> CardFacts:
    """Follow `run:RUN` back to the base model."""
    base, first, seen = str(run.recipe.model), run, 0
    while base.startswith("run:") and seen < _LONGEST_CHAIN:
        try:
            first = store.find(base.partition("@")[0])
        except UsageError:  # deleted meanwhile
            break
        base, seen = str(first.recipe.model), seen + 1
    return CardFacts(
        run=run,
        checkpoint=saved,
        base=base,
        base_revision=first.engine.get("revision"),
        origin=str(run.recipe.model) if first is not run else None,
        mask_token=mask_token,
    )
