"""A recipe as stored: some of its fields may be unknown."""

from __future__ import annotations

from typing import Any

from workbench.errors import UsageError
from workbench.recipe import Recipe, as_stored
from workbench.recipe_fields import FIELDS, SEEDS


class StoredRecipe(dict[str, Any]):
    """The known fields as JSON values. Every field is also an attribute, None if unknown.

    Imported runs may lack any field, runs of earlier versions the later fields.
    """

    @classmethod
    def of(cls, recipe: Recipe) -> StoredRecipe:
        """A recipe as the store keeps it."""
        return cls(recipe.model_dump(mode="json"))

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self.__dict__ = self  # fast attribute access: lists sort thousands of runs by a field

    def __getattr__(self, name: str) -> Any:
        if name not in FIELDS:
            raise AttributeError(f"A recipe has no field {name}.")
        return None

    @property
    def seed_of_split(self) -> int | None:
        """The seed that decides which rows are held out."""
        return self.seed if self.split_seed is None else self.split_seed

    def filled(self) -> StoredRecipe:
        """With defaults for unknown fields: earlier versions behaved like that."""
        return StoredRecipe({name: field.default for name, field in FIELDS.items()} | dict(as_stored(self)))

    def without_seeds(self) -> StoredRecipe:
        """The fields without the seeds: equal for repetitions of a recipe."""
        return StoredRecipe({name: value for name, value in self.items() if name not in SEEDS})

    def complete(self) -> Recipe:
        """The full recipe, with the values that earlier versions used for fields they lacked.

        Raises UsageError for an imported run without model or data set.
        """
        missing = [field for field in ("model", "dataset") if self.get(field) is None]
        if missing:
            flags = " and ".join(f"--{field} {field[0].upper()}" for field in missing)
            raise UsageError(
                f"The run's recipe has no {' and no '.join(missing)}: the run was imported without.",
                f"Import it again with {flags}.",
            )
        return Recipe.parse(as_stored(self))
