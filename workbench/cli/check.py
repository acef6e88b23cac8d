"""One finding of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """The state of one thing and, if needed, what to do."""

    status: Literal["ok", "warning", "failure"]
    message: str
    hint: str = ""
