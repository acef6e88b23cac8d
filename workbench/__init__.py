"""mlm-workbench: adapt masked language models from a terminal, or from Python:

from workbench import Recipe, Store, train
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.library import train
    from workbench.recipe import Recipe
    from workbench.store import Store

__version__ = "0.1.0"
__all__ = ["Recipe", "Store", "__version__", "train"]

_WHERE = {"Recipe": "workbench.recipe", "Store": "workbench.store", "train": "workbench.library"}
"""Modules loaded on first use (PEP 562), since the command line and the worker need only some of them."""


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
