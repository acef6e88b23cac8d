"""Presets: the named recipes that come with the program, and those that a person has saved."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.errors import UsageError
from workbench.paths import config_folder
from workbench.private import write_whole
from workbench.recipe import PRESETS, Recipe

_SUFFIX = ".toml"
_NAME = re.compile(r"[^\W_][\w .+-]{0,59}")
"""A name is also a file's: letters, digits, and signs that no file system minds."""


def presets_folder() -> Path:
    """Where saved presets lie, a TOML file each; it need not exist."""
    return config_folder() / "presets"


def saved() -> list[str]:
    """The names of the saved presets, in order. A file that is named like a built-in one does not count."""
    try:
        found = [path.stem for path in presets_folder().glob(f"*{_SUFFIX}")]
    except OSError:
        return []
    return sorted(name for name in found if name not in PRESETS and _is_name(name))


def names() -> list[str]:
    """All names, in the order they are offered: built-in ones first."""
    return [*PRESETS, *saved()]


def load(name: str) -> Recipe:
    """The preset of that name. Raises UsageError that lists the names there are, or says what its file has
    wrong.
    """
    if name in PRESETS:
        return PRESETS[name]
    if name not in saved():
        raise UsageError(f"There is no preset {name!r}.", f"Presets: {', '.join(names())}.")
    return Recipe.load(_file(name))


def save(name: str, recipe: Recipe) -> Path:
    """Write a preset, in the place of a saved one of that name; the file. Raises UsageError when it cannot
    have that name, or the disk refuses.
    """
    name = name.strip()
    if name in PRESETS:
        raise UsageError(f"{name} is a preset of the program's own.", "Give another name.")
    if not _is_name(name):
        raise UsageError(
            f"{name!r} cannot be a preset's name." if name else "A preset needs a name.",
            "Begin with a letter or digit; then also blanks, points, dashes; at most 60.",
        )
    file = _file(name)
    try:
        write_whole(file, recipe.to_toml().encode())
    except OSError as error:
        raise UsageError(f"The preset cannot be written to {file}: {error.strerror}.") from error
    return file


def delete(name: str) -> None:
    """Remove a saved preset. Raises UsageError for a built-in one and for one that there is not."""
    if name in PRESETS:
        raise UsageError(f"{name} is a preset of the program's own: it stays.")
    if name not in saved():
        raise UsageError(f"There is no preset {name!r}.", f"Presets: {', '.join(names())}.")
    try:
        _file(name).unlink()
    except OSError as error:
        raise UsageError(f"The preset {name!r} cannot be deleted: {error.strerror}.") from error


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and not name.endswith((" ", ".")) and name.isprintable()


def _file(name: str) -> Path:
    return presets_folder() / f"{name}{_SUFFIX}"
