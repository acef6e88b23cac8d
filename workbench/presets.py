"""Presets: named recipes, built-in or saved by the user."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.errors import UsageError
from workbench.paths import config_folder
from workbench.private import write_whole
from workbench.recipe import PRESETS, Recipe

_SUFFIX = ".toml"
_NAME = re.compile(r"[^\W_][\w .+-]{0,59}")
"""A preset's name is also its file name: letters, digits, and signs that every file system allows."""


def presets_folder() -> Path:
    """The folder of the saved presets, one TOML file each; it may not exist."""
    return config_folder() / "presets"


def saved() -> list[str]:
    """The names of the saved presets, sorted. Files named like a built-in preset are ignored."""
    try:
        stems = [path.stem for path in presets_folder().glob(f"*{_SUFFIX}")]
    except OSError:
        return []
    return sorted(name for name in stems if name not in PRESETS and _is_name(name))


def names() -> list[str]:
    """All names, built-in ones first."""
    return [*PRESETS, *saved()]


def load(name: str) -> Recipe:
    """The preset with that name. Raises UsageError for an unknown name or a faulty file."""
    if name in PRESETS:
        return PRESETS[name]
    if name not in saved():
        raise UsageError(f"There is no preset {name!r}.", f"Presets: {', '.join(names())}.")
    return Recipe.load(_file(name))


def save(name: str, recipe: Recipe) -> Path:
    """Save a preset, replacing one of that name; returns its file.

    Raises UsageError for an invalid name, or when the disk refuses.
    """
    name = name.strip()
    if name in PRESETS:
        raise UsageError(f"{name} is a built-in preset.", "Choose another name.")
    if not _is_name(name):
        raise UsageError(
            f"{name!r} is not a valid preset name." if name else "A preset needs a name.",
            "Start with a letter or digit; spaces, dots and dashes may follow; at most 60 characters.",
        )
    file = _file(name)
    try:
        write_whole(file, recipe.to_toml().encode())
    except OSError as error:
        raise UsageError(f"Cannot write the preset to {file}: {error.strerror}.") from error
    return file


def delete(name: str) -> None:
    """Remove a saved preset. Raises UsageError for a built-in or unknown one."""
    if name in PRESETS:
        raise UsageError(f"{name} is a built-in preset and cannot be deleted.")
    if name not in saved():
        raise UsageError(f"There is no preset {name!r}.", f"Presets: {', '.join(names())}.")
    try:
        _file(name).unlink()
    except OSError as error:
        raise UsageError(f"Cannot delete the preset {name!r}: {error.strerror}.") from error


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and not name.endswith((" ", ".")) and name.isprintable()


def _file(name: str) -> Path:
    return presets_folder() / f"{name}{_SUFFIX}"
