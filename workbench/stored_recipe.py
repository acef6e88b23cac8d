"""A recipe as the store has it: some of its fields may not be known."""

from __future__ import annotations

from typing import Any

from workbench.errors import UsageError
from workbench.recipe import Recipe, as_stored
from workbench.recipe_fields import FIELDS, SEEDS


class StoredRecipe(dict[str, Any]):
    """The fields that are known, as JSON values; each is an attribute too, None where it is not known.

    Of a run that was imported any field may be missing, of an earlier version's those that came later.
    """

    @classmethod
    def of(cls, recipe: Recipe) -> StoredRecipe:
        """What the store keeps of a recipe."""
        return cls(recipe.model_dump(mode="json"))

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self.__dict__ = self  # found as fast as in any object: lists sort thousands of runs by a field

    def __getattr__(self, name: str) -> Any:
        if name not in FIELDS:
            raise AttributeError(f"A recipe has no field {name}.")
        return None

    @property
    def seed_of_split(self) -> int | None:
        """What decides which rows are held out."""
        return self.seed if self.split_seed is None else self.split_seed

    def filled(self) -> StoredRecipe:
        """With the defaults of fields that are not known: what an earlier version did."""
        return StoredRecipe({name: field.default for name, field in FIELDS.items()} | dict(as_stored(self)))

    def without_seeds(self) -> StoredRecipe:
        """What runs of the same recipe have in common."""
        return StoredRecipe({name: value for name, value in self.items() if name not in SEEDS})

    def complete(self) -> Recipe:
        """The recipe to train by; fields that an earlier version did not know have what it did.

        Raises UsageError when it does not say what was trained on what: a run that was imported without it.
        """
        missing = [field for field in ("model", "dataset") if self.get(field) is None]
        if missing:
            flags = " and ".join(f"--{field} {field[0].upper()}" for field in missing)
            raise UsageError(
                f"The run's recipe does not say its {' and its '.join(missing)}: it was imported without.",
                f"Import it again with {flags}.",
            )
        return Recipe.parse(as_stored(self))
