"""What is written is for its user alone: modes of files and folders, and secrets that stay where they are."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

UMASK_VARIABLE = "MLM_WORKBENCH_UMASK"
"""Set to `apply`, it lets the umask decide who may read, for people who share their runs."""
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_KEY", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/@:]*):([^\s/@]+)@")
_SHORTEST_SECRET = 6
"""A shorter value is not looked for: it would be found in every other word."""


def file_mode() -> int:
    """The mode to create a file with."""
    return 0o666 if umask_applies() else 0o600


def folder_mode() -> int:
    """The mode to create a folder with."""
    return 0o777 if umask_applies() else 0o700


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing; those that are there stay as they are."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=folder_mode(), exist_ok=True)


def write_whole(file: Path, content: bytes) -> None:
    """Write a file, whole or not at all; readers find the old one or the new one. Raises OSError."""
    make_folder(file.parent)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
        temporary = Path(folder) / file.name
        temporary.touch(mode=file_mode())
        temporary.write_bytes(content)
        temporary.replace(file)


def make_private(folder: Path) -> None:
    """Take from all others what libraries have let them do to a folder and what is in it."""
    if umask_applies():
        return
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


def without_secrets(text: str) -> str:
    """`text` with *** for the values of environment variables that are named like secrets, and for the
    passwords in URLs."""
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_SECRET and _SECRET_NAME.search(name):
            text = text.replace(value, "***")
    return _URL_PASSWORD.sub(r"\1:***@", text)


def umask_applies() -> bool:
    """Whether the umask was asked to decide who may read."""
    return os.environ.get(UMASK_VARIABLE) == "apply"
