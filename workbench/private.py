"""Keeps files readable by their user only, and secrets out of messages."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

UMASK_VARIABLE = "MLM_WORKBENCH_UMASK"
"""Set it to `apply` to let the umask decide who may read, for people who share their runs."""
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_KEY", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/@:]*):([^\s/@]+)@")
_SHORTEST_SECRET = 6
"""Shorter values are not replaced: they would occur in ordinary words."""


def file_mode() -> int:
    """The mode to create a file with."""
    return 0o666 if umask_applies() else 0o600


def folder_mode() -> int:
    """The mode to create a folder with."""
    return 0o777 if umask_applies() else 0o700


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents; existing ones are not changed."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=folder_mode(), exist_ok=True)


def write_whole(file: Path, content: bytes) -> None:
    """Write a file atomically: readers see the old content or the new one. Raises OSError."""
    make_folder(file.parent)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
        temporary = Path(folder) / file.name
        temporary.touch(mode=file_mode())
        temporary.write_bytes(content)
        temporary.replace(file)


def make_private(folder: Path) -> None:
    """Make a folder and its contents readable by their user only: libraries may have created them
    otherwise."""
    if umask_applies():
        return
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


def without_secrets(text: str) -> str:
    """`text` with *** in place of secrets: values of environment variables named like secrets, and passwords
    in URLs.
    """
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_SECRET and _SECRET_NAME.search(name):
            text = text.replace(value, "***")
    return _URL_PASSWORD.sub(r"\1:***@", text)


def umask_applies() -> bool:
    """Whether the umask decides who may read."""
    return os.environ.get(UMASK_VARIABLE) == "apply"
