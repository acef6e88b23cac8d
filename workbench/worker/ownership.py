"""Finds out which database a process works for: a copied database names the processes of its original."""

from __future__ import annotations

from pathlib import Path

import psutil

from workbench.errors import StoreError
from workbench.store.engine import VARIABLE, backend_of

_OPTION = "--db"
_answers: dict[tuple[int, float, str], bool] = {}


def works_elsewhere(pid: int, created: float, url: str) -> bool:
    """Whether a process of this machine was started for another database that exists.

    False if that cannot be determined. `created`: as in `Identity`. Cached: the answer never changes.
    """
    key = pid, created, url
    if key not in _answers:
        _answers[key] = _works_elsewhere(pid, url)
    return _answers[key]


def _works_elsewhere(pid: int, url: str) -> bool:
    try:
        process = psutil.Process(pid)
        arguments = process.cmdline()
        database = _option_value(arguments) or process.environ().get(VARIABLE)
        if not database:
            return False
        if "://" not in database:
            database = str(Path(process.cwd()) / Path(database).expanduser())
        return not backend_of(database).may_be(backend_of(url))
    except (psutil.Error, OSError, StoreError, RuntimeError):
        return False


def _option_value(arguments: list[str]) -> str | None:
    for index, word in enumerate(arguments):
        if word == _OPTION and index + 1 < len(arguments):
            return arguments[index + 1]
        if word.startswith(f"{_OPTION}="):
            return word.removeprefix(f"{_OPTION}=")
    return None
