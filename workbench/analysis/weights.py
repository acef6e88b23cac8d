"""Fingerprints of model weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from workbench.pretrained.locate import is_local, locate
from workbench.pretrained.model import commit_of, load_config

_MANIFEST = "manifest.json"
_WEIGHTS = ("config.json", "*.safetensors")


def weights_fingerprint(model: str, revision: str | None = None) -> str:
    """A hash of the weights of a folder, `starter` or hub id; for a hub id, of its commit. Raises
    ModelError."""
    place = locate(model)
    if is_local(place):
        parts = _digests(Path(place))
    else:
        load_config(model, revision)
        parts = {place: str(commit_of(model, revision) or revision)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _digests(folder: Path) -> dict[str, str]:
    """File name to sha256; a checkpoint's manifest has them already."""
    files = sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        return {path.name: str(manifest[path.name]) for path in files}
    except (OSError, ValueError, KeyError, TypeError):
        return {path.name: _sha256(path) for path in files}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
