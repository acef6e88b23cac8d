"""Imports the packages of the extra `formats` when a file needs them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from workbench.errors import CorpusError


def needed(module: str, path: Path) -> Any:
    """A module of an optional package. Raises CorpusError if it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise CorpusError(
            f"{path} cannot be read: the package {module.partition('.')[0]} is not installed.",
            "Install the extra: pip install 'mlm-workbench[formats]'.",
        ) from error


def damaged(path: Path, what: str) -> CorpusError:
    """The error for a file that does not match its name."""
    return CorpusError(f"{path} is not {what}, or is damaged or truncated.", "Copy or download it again.")
