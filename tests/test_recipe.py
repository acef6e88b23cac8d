"""The recipe: what it takes, what it refuses and in which words, and TOML in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from workbench.errors import UsageError
from workbench.recipe import GROUPS, PRESETS, Recipe, preset
from workbench.recipe_fields import FIELDS

EVERYTHING_ELSE = {
    "chunk_size": 256,
    "mask_prob": 0.3,
    "epochs": 7,
    "batch_size": 12,
    "learning_rate": 3.3e-4,
    "model": 'a "quoted" \\ folder/äöü',
    "model_revision": "v1.0",
    "vocab_size": 1_000,
    "tokenizer": "bytes",
    "lowercase": "on",
    "dataset": "texts/*.jsonl",
    "dataset_subset": "en",
    "dataset_split": "validation",
    "dataset_revision": "refs/convert/parquet",
    "text_column": "text with\nnewline and [red]",
    "documents": "paragraph",
    "encoding": "cp1250",
    "duplicates": "drop",
    "min_words": 4,
    "dataset_streaming": "on",
    "train_size": 17,
    "test_size": 0.125,
    "seed": 2**31 - 1,
    "split_seed": 8,
    "masking": "span",
    "span_length": 4.5,
    "mask_share": 0.5,
    "random_share": 0.3,
    "keep_share": 0.2,
    "gradient_accumulation": 3,
    "schedule": "wsd",
    "warmup_ratio": 0.06,
    "decay_ratio": 0.3,
    "weight_decay": 0.1,
    "adam_beta1": 0.85,
    "adam_beta2": 0.98,
    "adam_epsilon": 1e-6,
    "max_grad_norm": 1.0,
    "max_steps": 123,
    "device": "cuda:3",
    "precision": "bf16",
    "compile": "on",
    "eval_every": 50,
    "checkpoint_every": 25,
    "early_stopping_patience": 4,
}


def test_the_defaults_are_the_reference_recipe() -> None:
    recipe = Recipe()
    assert recipe == PRESETS["xsum"]
    assert (recipe.dataset, recipe.dataset_split, recipe.text_column) == (
        "EdinburghNLP/xsum",
        "train",
        "document",
    )
    assert (recipe.train_size, recipe.test_size, recipe.seed) == (10_000, 2_000, 42)
    assert recipe.model == "distilbert/distilbert-base-uncased"
    assert (recipe.chunk_size, recipe.mask_prob, recipe.masking) == (128, 0.15, "token")
    assert (recipe.mask_share, recipe.random_share, recipe.keep_share) == (0.8, 0.1, 0.1)
    assert (recipe.learning_rate, recipe.batch_size, recipe.epochs) == (1.23e-5, 64, 3)


def test_the_starter_needs_no_network() -> None:
    starter = preset("starter")
    assert (starter.model, starter.dataset, starter.text_column) == ("starter", "python-docs", None)


def test_a_preset_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(UsageError) as raised:
        preset("xsumm")
    assert "'xsumm'" in raised.value.message
    assert raised.value.hint == "Presets: starter, xsum."


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("chunk_size", 7, "must be at least 8; got 7"),
        ("chunk_size", "many", "must be a whole number; got 'many'"),
        ("chunk_size", 128.5, "must be a whole number; got 128.5"),
        ("mask_prob", 0, "must be above 0; got 0"),
        ("mask_prob", 1, "must be below 1; got 1"),
        ("mask_prob", -0.15, "must be above 0; got -0.15"),
        ("mask_prob", float("nan"), "must be a number; got nan"),
        ("mask_prob", "a lot", "must be a number; got 'a lot'"),
        ("epochs", 0, "must be at least 1; got 0"),
        ("batch_size", 0, "must be at least 1; got 0"),
        ("learning_rate", 0, "must be above 0; got 0"),
        ("learning_rate", float("inf"), "must be a number; got inf"),
        ("model", "", "must not be empty"),
        ("dataset", "", "must not be empty"),
        ("train_size", 0, "must be at least 1; got 0"),
        ("test_size", 0, "must be above 0; got 0"),
        ("test_size", -0.2, "must be above 0; got -0.2"),
        ("test_size", 1.5, "test_size must be a whole number of rows or a share below 1; got 1.5"),
        ("seed", -1, "must be at least 0; got -1"),
        ("seed", 2**31, "must be at most "),
        ("masking", "words", "must be one of 'token', 'whole_word' or 'span'; got 'words'"),
        ("keep_share", 0.2, "mask_share + random_share + keep_share must be 1; they add up to 1.1"),
        ("warmup_ratio", 1, "must be below 1; got 1"),
        ("adam_beta2", 1, "must be below 1; got 1"),
        ("max_grad_norm", -1, "must be at least 0; got -1"),
        ("max_steps", 0, "must be at least 1; got 0"),
        ("device", "gpu", "must be auto, cpu, cuda, cuda:N or mps; got 'gpu'"),
        ("precision", "int8", "must be one of 'auto', 'fp32', 'bf16' or 'fp16'; got 'int8'"),
        ("early_stopping_patience", -1, "must be at least 0; got -1"),
        ("chunksize", 128, "is not a field of a recipe"),
    ],
)
def test_a_value_that_cannot_be_says_what_it_must_be(field: str, value: Any, says: str) -> None:
    values = {**Recipe().model_dump(), field: value}
    recipe, problems = Recipe.check(values)
    assert recipe is None
    assert any(says in problem for problem in problems.values())
    with pytest.raises(UsageError) as raised:
        Recipe.parse(values)
    assert says in raised.value.message
    assert field in raised.value.message
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chunk_size", 8),
        ("mask_prob", 1e-6),
        ("mask_prob", 0.999),
        ("epochs", 1),
        ("test_size", 1),
        ("test_size", 0.999),
        ("seed", 0),
        ("warmup_ratio", 0),
        ("device", "cuda:0"),
        ("train_size", None),
    ],
)
def test_values_at_the_bounds_are_taken(field: str, value: Any) -> None:
    assert getattr(Recipe.parse({field: value}), field) == value


def test_every_wrong_field_is_told_at_once() -> None:
    _, problems = Recipe.check({"epochs": 0, "mask_prob": 2, "device": "tpu"})
    assert set(problems) == {"epochs", "mask_prob", "device"}


def test_checks_across_fields_are_shown_at_a_field() -> None:
    shares = Recipe.check({"mask_share": 0.9})[1]
    assert list(shares) == ["mask_share"]
    schedule = Recipe.check({"schedule": "wsd", "warmup_ratio": 0.9, "decay_ratio": 0.2})[1]
    assert list(schedule) == ["warmup_ratio"]


def test_warmup_and_decay_may_overlap_where_nothing_decays() -> None:
    assert Recipe.parse({"schedule": "linear", "warmup_ratio": 0.9, "decay_ratio": 0.2}).warmup_ratio == 0.9


def test_numbers_typed_into_a_form_are_numbers() -> None:
    recipe = Recipe.parse({"epochs": "2", "mask_prob": "0.3", "test_size": "2000"})
    assert (recipe.epochs, recipe.mask_prob, recipe.test_size) == (2, 0.3, 2000)


def test_a_recipe_does_not_change() -> None:
    with pytest.raises(ValidationError):
        Recipe().epochs = 5  # type: ignore[misc]


def test_changes_are_checked_too() -> None:
    assert Recipe().with_changes(epochs=9).epochs == 9
    with pytest.raises(UsageError, match="epochs"):
        Recipe().with_changes(epochs=0)


def test_the_effective_batch_counts_accumulation() -> None:
    assert Recipe(batch_size=8, gradient_accumulation=4).effective_batch_size == 32


def test_the_other_recipe_differs_in_every_field() -> None:
    usual = Recipe().model_dump()
    assert set(EVERYTHING_ELSE) == set(usual)
    assert not [name for name, value in EVERYTHING_ELSE.items() if usual[name] == value]


@pytest.mark.parametrize(
    "recipe",
    [
        *PRESETS.values(),
        Recipe.parse(EVERYTHING_ELSE),
        Recipe(text_column=None, train_size=None, test_size=5),
        Recipe(learning_rate=1.1e-300, adam_epsilon=0.1 + 0.2, test_size=1 / 3),
    ],
    ids=["starter", "xsum", "every-field", "nothing-given", "long-numbers"],
)
def test_toml_gives_the_same_recipe_back(recipe: Recipe) -> None:
    again = Recipe.from_toml(recipe.to_toml())
    assert again == recipe
    assert type(again.test_size) is type(recipe.test_size)
    assert Recipe.from_toml(recipe.to_toml(), base=Recipe.parse(EVERYTHING_ELSE)) == recipe


def test_what_a_file_leaves_out_comes_from_the_base() -> None:
    recipe = Recipe.from_toml("epochs = 9", base=preset("starter"))
    assert recipe == preset("starter").with_changes(epochs=9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epochs = ", "is not TOML"),
        ("epochs = 0", "epochs: must be at least 1"),
        ("epoch = 3", "epoch: is not a field of a recipe"),
        ("[training]\nepochs = 3", "training: is not a field of a recipe"),
        ('epochs = "three"', "epochs: must be a whole number; got 'three'"),
    ],
)
def test_a_file_that_is_no_recipe_says_why(text: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        Recipe.from_toml(text)
    assert says in raised.value.message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    absent, binary = tmp_path / "absent.toml", tmp_path / "binary.toml"
    binary.write_bytes(b"epochs = \xff\xfe")
    for path, says in ((absent, "No such file"), (tmp_path, "Is a directory"), (binary, "not UTF-8")):
        with pytest.raises(UsageError) as raised:
            Recipe.load(path)
        assert str(path) in raised.value.message
        assert says in raised.value.message


def test_a_file_gives_its_recipe(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(Recipe.parse(EVERYTHING_ELSE).to_toml(), encoding="utf-8")
    assert Recipe.load(path) == Recipe.parse(EVERYTHING_ELSE)


def test_every_field_has_a_group_and_an_explanation() -> None:
    assert {field.group for field in FIELDS.values()} == set(GROUPS)
    assert all(field.help.endswith(".") for field in FIELDS.values())


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("dataset", "gr\udcf6n.txt", "must be written in UTF-8"), ("model", 5, "must be text; got 5")],
)
def test_what_is_no_text_is_refused_in_words_of_ours(field: str, value: object, told: str) -> None:
    with pytest.raises(UsageError, match=f"{field}: {told}") as caught:
        Recipe.parse({field: value})
    assert "Input should" not in caught.value.message
