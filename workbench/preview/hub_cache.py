"""Lists the models and data sets in the Hugging Face hub's local cache from its folder names.

The libraries that write these folders take seconds to import. Their layout is documented:
`models--ORG--NAME/snapshots/COMMIT/...` and `datasets--ORG--NAME/...` in the hub's cache, and `ORG___NAME/`
for data sets that were converted for reading.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MODELS, _DATASETS = "models--", "datasets--"


@dataclass(frozen=True, slots=True)
class Cached:
    """A model or data set in the cache. note: its size or state as a short text."""

    name: str
    note: str


def hub_folder() -> Path:
    """The cache of the hub's files: $HF_HUB_CACHE, or `hub` in $HF_HOME."""
    folder = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(folder).expanduser() if folder else _home() / "hub"


def datasets_folder() -> Path:
    """The cache of converted data sets: $HF_DATASETS_CACHE, or `datasets` in $HF_HOME."""
    folder = os.environ.get("HF_DATASETS_CACHE")
    return Path(folder).expanduser() if folder else _home() / "datasets"


def models() -> list[Cached]:
    """The models with a configuration and safetensors, by name."""
    cached = []
    for name, folder in _repositories(_MODELS):
        files = [path for path in folder.glob("snapshots/*/*") if path.exists()]
        weights = [path for path in files if path.suffix == ".safetensors"]
        if weights and any(path.name == "config.json" for path in files):
            cached.append(Cached(name, f"{max(path.stat().st_size for path in weights) / 1e6:,.0f} MB"))
    return cached


def datasets() -> list[Cached]:
    """The data sets, by name."""
    cached = {name: Cached(name, "as files") for name, _ in _repositories(_DATASETS)}
    for folder in _folders(datasets_folder()):
        if "___" in folder.name:
            lowercase = folder.name.replace("___", "/", 1)
            # names are lowercase in this folder, but not in the hub's cache
            name = next((name for name in cached if name.lower() == lowercase.lower()), lowercase)
            cached[name] = Cached(name, "ready")
    return sorted(cached.values(), key=lambda dataset: dataset.name.lower())


def has_model(name: str) -> bool:
    """Whether the cache holds a model's files, of any revision."""
    folder = hub_folder() / f"{_MODELS}{name.replace('/', '--')}" / "snapshots"
    return any(folder.glob("*/config.json"))


def has_dataset(name: str) -> bool:
    """Whether the cache holds a data set's files."""
    return name.lower() in (dataset.name.lower() for dataset in datasets())


def _home() -> Path:
    folder = os.environ.get("HF_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(folder or f"{cache}/huggingface").expanduser()


def _repositories(prefix: str) -> Iterator[tuple[str, Path]]:
    for folder in _folders(hub_folder()):
        if folder.name.startswith(prefix) and any(folder.glob("snapshots/*/*")):
            yield folder.name.removeprefix(prefix).replace("--", "/"), folder


def _folders(folder: Path) -> list[Path]:
    """The subfolders of a folder, by name; none if it cannot be read."""
    try:
        return sorted(
            (path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.name.lower()
        )
    except OSError:
        return []
