"""Which database a process works for: a copy of a database names the processes of its original."""

from __future__ import annotations

from pathlib import Path

import psutil

from workbench.errors import StoreError
from workbench.store.engine import VARIABLE, backend_of

_OPTION = "--db"
_known: dict[tuple[int, float, str], bool] = {}


def works_elsewhere(pid: int, created: float, url: str) -> bool:
    """Whether a process of this machine was started for another database, which is there.

    False where that cannot be known. `created`: as in `Identity`; what a process was started for stays so.
    """
    key = pid, created, url
    if key not in _known:
        _known[key] = _works_elsewhere(pid, url)
    return _known[key]


def _works_elsewhere(pid: int, url: str) -> bool:
    try:
        process = psutil.Process(pid)
        arguments = process.cmdline()
        named = _after(arguments) or process.environ().get(VARIABLE)
        if not named:
            return False
        if "://" not in named:
            named = str(Path(process.cwd()) / Path(named).expanduser())
        return not backend_of(named).may_be(backend_of(url))
    except (psutil.Error, OSError, StoreError, RuntimeError):
        return False


def _after(arguments: list[str]) -> str | None:
    """What was given as the option's value."""
    for index, word in enumerate(arguments):
        if word == _OPTION and index + 1 < len(arguments):
            return arguments[index + 1]
        if word.startswith(f"{_OPTION}="):
            return word.removeprefix(f"{_OPTION}=")
    return None
