"""The details of one run, read on a thread; its curve is read only when it has grown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.display.curve import Point
from workbench.display.measurements import Measurements, Past
from workbench.display.plot import Series
from workbench.metrics import CURVES

if TYPE_CHECKING:
    from workbench.store import Run, Store
    from workbench.stored_recipe import StoredRecipe

POINTS = 400
"""Points of a curve: more than the panel has dots."""


@dataclass(frozen=True, slots=True)
class About:
    """A run, its curves, and how its recipe differs from the nearest preset."""

    run: Run
    series: list[Series]
    preset: str
    differences: dict[str, Any]


class AboutRun:
    """Reads a run's details, incrementally if it is the run read last. Not thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: tuple[int, float, int] | None = None
        self._measured = Measurements()

    def read(self, run_id: int) -> About:
        """Read a run. Raises UsageError when it is gone."""
        run = self._store.run(run_id)
        which = (run_id, run.created_at, run.segment)
        if which == self._read:
            self._measured.add(self._store.metrics(run_id, CURVES, after=self._measured.cursor))
        else:
            cursor = self._store.curves.newest(run_id)
            points: dict[str, list[Point]] = {
                name: self._store.curves.thinned(run_id, name, POINTS, upto=cursor) for name in CURVES
            }
            self._measured.begin(Past(cursor, points, {}), run.segment)
            self._read = which
        preset, differences = nearest_preset(run.recipe)
        return About(run, self._measured.series(baseline=run.baseline_perplexity), preset, differences)


def nearest_preset(recipe: StoredRecipe) -> tuple[str, dict[str, Any]]:
    """The preset nearest to a recipe, and the fields that differ, with the recipe's values."""
    from workbench.recipe import PRESETS

    differences: dict[str, dict[str, Any]] = {}
    for name, preset in PRESETS.items():
        values = preset.model_dump(mode="json")
        differences[name] = {key: recipe[key] for key in recipe if recipe[key] != values.get(key)}
    name = min(differences, key=lambda one: len(differences[one]))
    return name, differences[name]
