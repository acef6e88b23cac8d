"""From what a person writes as a model to what transformers can load: a checked folder or a hub id."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.errors import ModelError
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
            return str(check_folder(path.absolute()))
        raise ModelError(f"{model} is a file, not the folder of a model.", _WRITE)
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


def check_folder(folder: Path) -> Path:
    """The folder itself, if it holds a model's configuration and its weights as safetensors. Raises
    ModelError.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"The folder {folder} holds no config.json: it is not a model.",
            "Give the folder that save_pretrained wrote, with config.json and model.safetensors.",
        )
    if any(folder.glob("*.safetensors")):
        return folder
    pickled = sorted(path.name for pattern in ("*.bin", "*.pt", "*.ckpt") for path in folder.glob(pattern))
    if pickled:
        raise ModelError(
            f"The weights in {folder} are pickled ({pickled[0]}): refused, for reading them can run code.",
            "Save the model again with save_pretrained(..., safe_serialization=True).",
        )
    raise ModelError(
        f"The folder {folder} holds no weights (*.safetensors).",
        "Give the folder that save_pretrained wrote, with config.json and model.safetensors.",
    )
