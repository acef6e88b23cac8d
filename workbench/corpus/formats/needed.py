"""Packages of the extra `formats`, imported when a file needs them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from workbench.errors import CorpusError


def needed(module: str, path: Path) -> Any:
    """A module of an optional package. Raises CorpusError that says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise CorpusError(
            f"{path} cannot be read: the package {module.partition('.')[0]} is not installed.",
            "Install the extra: pip install 'mlm-workbench[formats]'.",
        ) from error


def damaged(path: Path, what: str) -> CorpusError:
    """The refusal of a file that is not what its name says."""
    return CorpusError(f"{path} is not {what}, or is damaged or cut short.", "Copy or download it again.")
