"""Resolves a model's name as users write it to a checked folder or a hub id that transformers can load."""

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
_VALID_NAMES = "Give a hub id such as distilbert/distilbert-base-uncased, a local folder, or starter."


def locate(model: str) -> str:
    """The absolute path of a model folder, or a hub id, for `from_pretrained`.

    `starter` is the installed starter model. A folder must hold a config.json and safetensors; anything that
    looks like a path must exist. Callers replace `run:RUN` with a checkpoint's folder first. Raises
    ModelError.
    """
    if model == STARTER:
        return str(starter_folder())
    if model.startswith("run:"):
        raise ModelError(f"{model} was not replaced by a checkpoint of that run.", _VALID_NAMES)
    if is_new(model):
        shape_of(model)
        raise ModelError(f"{model} is a new model: it does not exist before its run starts.", _VALID_NAMES)
    path = existing(model)
    if path is not None:
        if path.is_dir():
            return str(_checked(path.absolute()))
        beside = (path.absolute().parent / "config.json").is_file()
        hint = f"Give its folder: {path.absolute().parent}." if beside else _VALID_NAMES
        raise ModelError(f"{model} is a file, not a model folder.", hint)
    if model.startswith(("/", ".", "~")) or model.count("/") > 1 or "\\" in model:
        raise ModelError(f"There is no model folder {model}.", _VALID_NAMES)
    if not _HUB_ID.fullmatch(model) or "--" in model or ".." in model:
        raise ModelError(f"{model!r} is neither a folder nor a valid hub id.", _VALID_NAMES)
    return model


def existing(text: str) -> Path | None:
    """The existing file or folder of that name, with `~` expanded; None if there is none or the name is
    invalid.
    """
    try:
        path = Path(text).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # too long, no permission, unknown user, a zero byte
        return None


def is_local(place: str) -> bool:
    """Whether a place that `locate` returned is a local folder; otherwise it is a hub id."""
    return Path(place).is_absolute()


def _checked(folder: Path) -> Path:
    try:
        return check_folder(folder)
    except OSError as error:
        raise ModelError(
            f"The folder {folder} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
