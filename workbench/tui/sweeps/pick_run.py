"""A dialog that asks which of a recipe's runs is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import BindingType

from workbench.tui.actions import bindings
from workbench.tui.widgets.picker import Choose


class PickRun(Choose):
    """Returns the run's id as text. `runs`: a description of each."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("sweep.pick_run")

    def __init__(self, runs: Mapping[int, str]) -> None:
        super().__init__("Which run?", {str(run): f" run {text}" for run, text in runs.items()}, "open")
