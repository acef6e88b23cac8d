"""What of the Hugging Face hub lies on this machine already, read off the folders of its cache.

The libraries that made these folders take seconds to import; their layout is documented:
`models--ORG--NAME/snapshots/COMMIT/...` and `datasets--ORG--NAME/...` in the hub's cache, and `ORG___NAME/`
for data sets that were made ready to be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MODELS, _DATASETS = "models--", "datasets--"


@dataclass(frozen=True, slots=True)
class Cached:
    """A model or data set in the cache. `note`: what is known of it in a few words."""

    name: str
    note: str


def hub_folder() -> Path:
    """The cache of the hub's files: $HF_HUB_CACHE, or `hub` in $HF_HOME."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(named).expanduser() if named else _home() / "hub"


def datasets_folder() -> Path:
    """The cache of data sets ready to be read: $HF_DATASETS_CACHE, or `datasets` in $HF_HOME."""
    named = os.environ.get("HF_DATASETS_CACHE")
    return Path(named).expanduser() if named else _home() / "datasets"


def models() -> list[Cached]:
    """Models with a configuration and safetensors, by name."""
    found = []
    for name, folder in _repositories(_MODELS):
        files = [path for path in folder.glob("snapshots/*/*") if path.exists()]
        weights = [path for path in files if path.suffix == ".safetensors"]
        if weights and any(path.name == "config.json" for path in files):
            found.append(Cached(name, f"{max(path.stat().st_size for path in weights) / 1e6:,.0f} MB"))
    return found


def datasets() -> list[Cached]:
    """Data sets, by name."""
    found = {name: Cached(name, "as files") for name, _ in _repositories(_DATASETS)}
    for folder in _folders(datasets_folder()):
        if "___" in folder.name:
            name = folder.name.replace("___", "/", 1)
            # Names there are in small letters, and in the hub's cache as they are written.
            known = next((one for one in found if one.lower() == name.lower()), name)
            found[known] = Cached(known, "ready")
    return sorted(found.values(), key=lambda one: one.name.lower())


def has_model(name: str) -> bool:
    """Whether a model's files, of whatever revision, are here."""
    folder = hub_folder() / f"{_MODELS}{name.replace('/', '--')}" / "snapshots"
    return any(folder.glob("*/config.json"))


def has_dataset(name: str) -> bool:
    """Whether a data set's files are here."""
    return name.lower() in (one.name.lower() for one in datasets())


def _home() -> Path:
    named = os.environ.get("HF_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(named or f"{cache}/huggingface").expanduser()


def _repositories(prefix: str) -> Iterator[tuple[str, Path]]:
    for folder in _folders(hub_folder()):
        if folder.name.startswith(prefix) and any(folder.glob("snapshots/*/*")):
            yield folder.name.removeprefix(prefix).replace("--", "/"), folder


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, by name; none where it cannot be read."""
    try:
        return sorted(
            (path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.name.lower()
        )
    except OSError:
        return []
