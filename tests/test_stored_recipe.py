"""A recipe as the store has it: what is known_recipe, what is not, and what an earlier version did."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.analysis.differences import differences, known_recipe
from workbench.errors import UsageError
from workbench.recipe import PRESETS, Recipe
from workbench.store import Run, Store
from workbench.store.past import IMPORTED
from workbench.store.run_lines import RunLines
from workbench.stored_recipe import StoredRecipe

STARTER = PRESETS["starter"]


def test_the_store_gives_back_what_it_was_given(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "a.db"))
    run = store.run(store.create_run(STARTER, name="a").id)
    assert isinstance(run.recipe, StoredRecipe) and run.recipe.complete() == STARTER
    assert run.recipe.chunk_size == 128 and run.recipe.seed_of_split == 42
    (line,) = RunLines(store.database).refresh()
    assert line.recipe.model == "starter" and isinstance(line.recipe, StoredRecipe)
    assert [one.recipe for one in store.past.measured()] == []
    store.close()


def test_what_is_not_known_is_none_and_no_field_is_an_error() -> None:
    imported = StoredRecipe({"epochs": 2})
    assert imported.epochs == 2 and imported.chunk_size is None
    with pytest.raises(AttributeError, match="no field chunksize"):
        _ = imported.chunksize
    with pytest.raises(UsageError, match="has no model and no dataset"):
        imported.complete()


def test_no_field_is_hidden_by_what_a_dictionary_can() -> None:
    assert not [name for name in Recipe.model_fields if hasattr(dict, name)]


def test_a_run_of_an_earlier_version_did_what_the_defaults_say_and_an_imported_one_is_not_known() -> None:
    earlier = StoredRecipe.of(STARTER)
    del earlier["min_words"]
    now, before = run_of(StoredRecipe.of(STARTER)), run_of(earlier)
    assert known_recipe(before) == known_recipe(now) and differences([before, now]) == {}
    other = run_of(StoredRecipe.of(STARTER.with_changes(min_words=5)))
    assert differences([before, other]) == {"min_words": [0, 5]}
    imported = run_of(StoredRecipe({"epochs": 3}), imported=True)
    assert known_recipe(imported) == {"epochs": 3} and differences([imported, other]) == {}


def run_of(recipe: StoredRecipe, *, imported: bool = False) -> Run:
    environment = {IMPORTED: {"from": "a log"}} if imported else {}
    return Run(id=1, name="a", created_at=0.0, recipe=recipe, environment=environment)


def test_nobody_asks_a_stored_recipe_for_a_field_by_a_bare_string() -> None:
    package = Path(__file__).parent.parent / "workbench"
    asked = re.compile(r"recipe(\.get\(|\[)[\"']")
    assert [path for path in package.rglob("*.py") if asked.search(path.read_text("utf-8"))] == []
