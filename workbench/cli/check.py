"""One finding of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """How something stands and, if need be, what to do."""

    status: Literal["ok", "warning", "failure"]
    message: str
    hint: str = ""
