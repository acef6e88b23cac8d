"""From what a person writes as a model to what transformers can load: a checked folder or a hub id."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.errors import ModelError
from workbench.pretrained.model_folder import check_folder
from workbench.pretrained.shapes import is_new, shape_of
from workbench.pretrained.starter import starter_folder

STARTER = "starter"
_HUB_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_HUB_ID = re.compile(rf"{_HUB_PART}(?:/{_HUB_PART})?")
_WRITE = "Give a hub id such as distilbert/distilbert-base-uncased, a local folder, or starter."


def locate(model: str) -> str:
    """The absolute path of a model folder, or a hub id, for `from_pretrained`.

    `starter` is the installed starter; a folder must hold a config.json and safetensors; what looks like a
    path must exist. `run:RUN` is replaced by a checkpoint's folder before it comes here. Raises ModelError.
    """
    if model == STARTER:
        return str(starter_folder())
    if model.startswith("run:"):
        raise ModelError(f"{model} was not replaced by a checkpoint of that run.", _WRITE)
    if is_new(model):
        shape_of(model)
        raise ModelError(f"{model} begins from nothing: there is none before its run has begun.", _WRITE)
    path = existing(model)
    if path is not None:
        if path.is_dir():
            return str(_checked(path.absolute()))
        beside = (path.absolute().parent / "config.json").is_file()
        give = f"Give the folder that it lies in: {path.absolute().parent}." if beside else _WRITE
        raise ModelError(f"{model} is a file, not the folder of a model.", give)
    if model.startswith(("/", ".", "~")) or model.count("/") > 1 or "\\" in model:
        raise ModelError(f"There is no model folder {model}.", _WRITE)
    if not _HUB_ID.fullmatch(model) or "--" in model or ".." in model:
        raise ModelError(f"{model!r} is neither a folder nor the shape of a hub id.", _WRITE)
    return model


def existing(text: str) -> Path | None:
    """The file or folder of that name, `~` spelled out; None where there is none, or where none can be."""
    try:
        path = Path(text).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # too long, not to be looked into, no such user, a zero byte
        return None


def is_local(place: str) -> bool:
    """Whether what `locate` returned is a folder here; otherwise it is a hub id."""
    return Path(place).is_absolute()


def _checked(folder: Path) -> Path:
    try:
        return check_folder(folder)
    except OSError as error:
        raise ModelError(
            f"The folder {folder} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
