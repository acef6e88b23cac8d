"""Checks that a folder holds a model, and explains the usual mistakes: git-lfs pointers, adapters, other
formats.

Only names, sizes and headers are read, never the weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from workbench.errors import ModelError

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
_POINTER = b"version https://git-lfs.github.com/spec/"
_LONGEST_POINTER = 1024
_LONGEST_HEADER = 100_000_000  # bytes; the library's own limit
_GIVE = "Give the folder that save_pretrained wrote, with config.json and model.safetensors."
_SHOWN = 3
_OTHER_FORMATS = {
    ".gguf": "GGUF, a format for running models with llama.cpp",
    ".onnx": "ONNX, a format for running models",
    ".h5": "TensorFlow's",
    ".msgpack": "Flax's",
    ".ot": "rust-bert's",
    ".npz": "NumPy's",
}
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_NOT_WEIGHTS = frozenset({"optimizer", "scheduler", "rng_state", "training_args", "scaler"})
"""How the names of pickles begin that a Trainer writes beside a model."""


class Tensor(NamedTuple):
    """A tensor's entry in the header of a safetensors file. dtype: such as F32, BF16 or I8."""

    dtype: str
    shape: tuple[int, ...]


def check_folder(folder: Path) -> Path:
    """The folder itself, if it holds a model's configuration and its weights as safetensors. Otherwise raises
    a ModelError that says what it holds instead.
    """
    refuse_pointers(folder)
    if not (folder / CONFIG).is_file():
        raise _without_configuration(folder)
    if not (folder / WEIGHTS).is_file() and not (folder / INDEX).is_file():
        raise _without_weights(folder)
    return folder


def refuse_pointers(folder: Path) -> None:
    """Raises ModelError for a file that git-lfs has not fetched yet."""
    for file in sorted(folder.iterdir()):
        if file.suffix not in (".json", ".safetensors", ".model", ".txt") or not file.is_file():
            continue
        with file.open("rb") as opened:
            start = opened.read(len(_POINTER))
        if start == _POINTER and file.stat().st_size <= _LONGEST_POINTER:
            raise ModelError(
                f"{file} is a git-lfs pointer, not the file itself: the repository was cloned without its "
                "large files.",
                f"Run `git lfs pull` in {folder}.",
            )


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """The tensors of a model folder by name, read from the headers of its files.

    Raises ModelError for a missing shard, and for a file that is truncated or not safetensors.
    """
    tensors: dict[str, Tensor] = {}
    for file in _weight_files(folder):
        tensors |= _header(file)
    return tensors


def _weight_files(folder: Path) -> list[Path]:
    """The files with the weights: model.safetensors, or the shards that the index lists."""
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    index = folder / INDEX
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        foreign = [name for name in shards if Path(name).name != name]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{index} cannot be read: it is not an index of shards.", _FETCH_AGAIN) from error
    if foreign:
        raise ModelError(f"{index} names a file outside its folder: {foreign[0]}.", "Do not use this model.")
    missing = [name for name in shards if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder} lacks {len(missing)} of the {len(shards)} files with its weights: {_first(missing)}.",
            f"Copy or download the missing files; {INDEX} lists all of them.",
        )
    return [folder / name for name in shards]


_FETCH_AGAIN = "Copy or download it again."


def _header(file: Path) -> dict[str, Tensor]:
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            text = opened.read(length) if length <= min(size, _LONGEST_HEADER) else b""
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if size > 8 and length > size and length < _LONGEST_HEADER:
        raise ModelError(f"{file} is cut short: it ends within its header.", _FETCH_AGAIN)
    try:
        entries: dict[str, Any] = dict(json.loads(text))
        entries.pop("__metadata__", None)
        ends = [int(entry["data_offsets"][1]) for entry in entries.values()]
        tensors = {
            name: Tensor(str(entry["dtype"]), tuple(entry["shape"])) for name, entry in entries.items()
        }
    except (
        ValueError,
        KeyError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise ModelError(f"{file} is not a safetensors file, or is damaged.", _FETCH_AGAIN) from error
    expected = 8 + length + max(ends, default=0)
    if size < expected:
        raise ModelError(f"{file} is cut short: it has {size:,} bytes of {expected:,}.", _FETCH_AGAIN)
    return tensors


def _without_configuration(folder: Path) -> ModelError:
    if (folder / "adapter_config.json").is_file():
        return _adapter(folder)
    if inside := sorted(path.parent for path in folder.glob(f"*/{CONFIG}")):
        return ModelError(
            f"The folder {folder} holds no config.json; its subfolder {inside[-1].name} does.",
            f"Give {inside[-1]}.",
        )
    if other := _other_format(folder):
        return other
    return ModelError(f"The folder {folder} holds no config.json: it is not a model. {_holds(folder)}", _GIVE)


def _without_weights(folder: Path) -> ModelError:
    if (folder / "adapter_config.json").is_file() or (folder / "adapter_model.safetensors").is_file():
        return _adapter(folder)
    if named := sorted(path.name for path in folder.glob("*.safetensors")):
        return ModelError(
            f"The folder {folder} holds no {WEIGHTS}, only {_first(named)}.",
            f"If it holds the whole model, rename it to {WEIGHTS}; if it is one of several shards, "
            f"{INDEX} is missing.",
        )
    pickled = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    weights = [name for name in pickled if not name.startswith(tuple(_NOT_WEIGHTS))]
    if weights:
        return ModelError(
            f"The weights in {folder} are pickled ({weights[0]}): refused, as loading them can run code.",
            "Save the model again with save_pretrained(..., safe_serialization=True).",
        )
    if other := _other_format(folder):
        return other
    return ModelError(f"The folder {folder} holds no weights (*.safetensors). {_holds(folder)}", _GIVE)


def _adapter(folder: Path) -> ModelError:
    base = ""
    try:
        named = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        base = str(named.get("base_model_name_or_path") or "")
    except (OSError, ValueError, AttributeError, RecursionError):
        pass
    of = f" for {base}" if base else ""
    return ModelError(
        f"The folder {folder} holds an adapter{of} (LoRA or another PEFT method), not a whole model.",
        "Merge it into its model with PEFT's merge_and_unload(), save the result with save_pretrained, and "
        "give that folder.",
    )


def _other_format(folder: Path) -> ModelError | None:
    for file in sorted(folder.iterdir()):
        if kind := _OTHER_FORMATS.get(file.suffix):
            return ModelError(
                f"The weights in {folder} are in another format: {file.name} is {kind}.",
                "Give the original model as save_pretrained writes it.",
            )
    return None


def _holds(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return f"It holds {_first(names)}." if names else "It is empty."


def _first(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
