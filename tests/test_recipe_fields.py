"""What each field of a recipe says it decides, held against what it really decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.test_recipe import EVERYTHING_ELSE
from workbench.analysis.yardstick import prepare_test, recipe_of_yardstick
from workbench.cli.settings import of_the_text
from workbench.corpus.new_model import make_new_model
from workbench.corpus.notes import Notes
from workbench.corpus.prepare import prepare_corpus
from workbench.corpus.sources import open_source
from workbench.exports.card import main_fields
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import PRESETS, Affects, Recipe, knob
from workbench.recipe_fields import FIELDS, agree, deciding, fields_that
from workbench.store.past import MeasuredRun
from workbench.tui.new_run.cost import estimate
from workbench.tui.new_run.screen import FIRST, SUMMARIES, group_fields

TEXT = fields_that(Affects.TEXT)
LINES = "\n".join(f"Document {n} tells of the {n}th thing, in a dozen words of its own." for n in range(400))
SHARES = ("mask_share", "random_share", "keep_share")
FOLDED = {
    *("model_revision", "vocab_size", "tokenizer", "lowercase"),
    *("dataset_subset", "dataset_split", "dataset_revision", "text_column", "documents", "encoding"),
    *("duplicates", "min_words", "dataset_streaming", "split_seed"),
    *("span_length", *SHARES),
    *("gradient_accumulation", "warmup_ratio", "decay_ratio", "max_grad_norm", "max_steps"),
    *("adam_beta1", "adam_beta2", "adam_epsilon", "compile", "early_stopping_patience"),
}
"""The fields that the form shows only when their group is unfolded."""
QUESTIONS_ALONE = sorted(set(fields_that(Affects.QUESTIONS)) - set(fields_that(Affects.TEXT)))


def changed(recipe: Recipe, field: str) -> Recipe:
    """The recipe with another value in that field, and in no other if that can be."""
    fields = SHARES if field in SHARES else (field,)
    return recipe.with_changes(**{name: EVERYTHING_ELSE[name] for name in fields})


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    path = tmp_path / "lines.txt"
    path.write_text(LINES, encoding="utf-8")
    return PRESETS["starter"].with_changes(dataset=str(path), split_seed=42, chunk_size=16)


def test_every_field_answers_what_it_decides() -> None:
    assert all(field.affects for field in FIELDS.values())
    with pytest.raises(TypeError, match="affects"):
        knob(1, "A field that does not answer.", group="data")  # type: ignore[call-arg]


@pytest.mark.parametrize("field", FIELDS)
def test_only_a_field_of_the_text_makes_the_estimate_unknown(field: str, recipe: Recipe) -> None:
    before = MeasuredRun(recipe.model_dump(), "here", {"train_tokens": 302_085}, 20_000.0)
    cost = estimate(changed(recipe, field), [before], "here")
    assert (cost.steps is None) == (field in TEXT)
    assert (cost.tokens_per_second is None) == (Affects.SPEED in FIELDS[field].affects)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The name of the prepared text that a recipe asks for."""
    cache = tmp_path_factory.mktemp("cache")
    tokenizer = load_tokenizer("starter")

    def name(recipe: Recipe) -> set[str]:
        before = set(cache.iterdir()) if cache.exists() else set()
        prepare_corpus(recipe, tokenizer, max_chunk=512, cache=cache, listen=lambda event: None)
        return {path.name for path in set(cache.iterdir()) - before}

    return name


@pytest.mark.parametrize("field", [name for name, field in FIELDS.items() if not field.named_by])
def test_only_a_field_of_the_text_has_the_text_prepared_anew(field: str, recipe: Recipe, prepared) -> None:
    assert prepared(recipe)
    assert bool(prepared(changed(recipe, field))) == (field in TEXT)
    assert not prepared(recipe)


@pytest.mark.parametrize("field", [name for name, field in FIELDS.items() if field.named_by == "source"])
def test_what_the_source_stands_for_is_in_its_identity(field: str, recipe: Recipe, tmp_path: Path) -> None:
    other = EVERYTHING_ELSE[field]
    if field == "dataset":
        other = str(tmp_path / "more.txt")
        Path(other).write_text(LINES, encoding="utf-8")
    elif field not in ("documents", "encoding"):  # of a .txt file nothing else is asked
        recipe = recipe.with_changes(dataset="some/set", train_size=50, test_size=10)
    assert identity(recipe) != identity(recipe.with_changes(**{field: other}))


def identity(recipe: Recipe) -> Any:
    source = open_source(recipe, Path("no-cache"))
    # what is asked of the hub, without asking it
    return source._request() if hasattr(source, "_request") else source.identity(Notes(lambda event: None))


@pytest.mark.parametrize("field", ["vocab_size", "min_words", "split_seed", "batch_size", "mask_prob"])
def test_only_a_field_of_the_text_has_a_new_model_learn_anew(
    field: str, recipe: Recipe, tmp_path: Path
) -> None:
    recipe = recipe.with_changes(model="new:tiny", vocab_size=300)
    one = make_new_model(recipe, cache=tmp_path / "cache", listen=lambda event: None)
    other = make_new_model(changed(recipe, field), cache=tmp_path / "cache", listen=lambda event: None)
    assert (one != other) == (field in TEXT)


def test_the_seed_decides_the_split_where_no_other_does() -> None:
    starter = PRESETS["starter"]
    other = starter.with_changes(seed=7)
    assert not agree(starter.model_dump(), other.model_dump(), Affects.TEXT)
    assert agree(starter.model_dump(), other.with_changes(split_seed=42).model_dump(), Affects.TEXT)


def test_a_field_that_an_earlier_version_did_not_know_has_its_default() -> None:
    earlier = PRESETS["starter"].model_dump()
    del earlier["min_words"], earlier["split_seed"]
    assert agree(earlier, PRESETS["starter"].model_dump(), Affects.TEXT)
    assert deciding(earlier, Affects.TEXT)["split_seed"] == 42


def test_every_field_has_its_place_in_the_form() -> None:
    """A new field must be put into SUMMARIES or into FOLDED."""
    summarized = [name for names in SUMMARIES.values() for name in names]
    assert sorted([*FIRST, *summarized, *FOLDED]) == sorted(FIELDS)
    assert all(name in group_fields(group) for group, names in SUMMARIES.items() for name in names)


def test_inspect_has_a_flag_for_every_flagged_field_of_the_text() -> None:
    flagged = {name for name in TEXT if FIELDS[name].flag}
    assert {*of_the_text()} == flagged - {"dataset"} | {"chunk_size"}


def test_the_card_lists_every_field_of_the_training() -> None:
    described_elsewhere = {"model", "model_revision", "precision"}
    when_to_save = {"eval_every", "checkpoint_every", "early_stopping_patience"}
    assert {*main_fields()} == {*fields_that(Affects.TRAINING)} - described_elsewhere - when_to_save


@pytest.mark.parametrize("field", QUESTIONS_ALONE)
def test_the_yardstick_asks_the_same_whatever_the_runs_own_test(
    field: str, recipe: Recipe, tmp_path: Path
) -> None:
    tests = [
        prepare_test(each, "starter", None, cache=tmp_path / "cache", listen=lambda event: None)[0]
        for each in (recipe, changed(recipe, field))
    ]
    assert tests[0].identity() == tests[1].identity()


def test_the_yardstick_fixes_all_of_the_machine_but_the_device(recipe: Recipe) -> None:
    for field in group_fields("machine"):
        own, other = (recipe_of_yardstick(each) for each in (recipe, changed(recipe, field)))
        assert (getattr(own, field) == getattr(other, field)) == (field != "device"), field
