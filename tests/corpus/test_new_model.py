"""Models from nothing: a tokenizer learnt from the training rows, weights from the seed, always the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import prepare_corpus
from workbench.corpus.new_model import make_new_model
from workbench.errors import ModelError
from workbench.pretrained.model import load_model
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Affects, Recipe
from workbench.recipe_fields import agree
from workbench.stored_recipe import StoredRecipe

NAMES = "cardiology ventricle stenosis aortic valve patient presented murmur echo systolic"
WORDS = NAMES.split(" ")


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    path = tmp_path / "notes.txt"
    lines = [" ".join(WORDS[(n * k) % 10] for k in range(1, 9)) for n in range(200)]
    path.write_text("\n".join(lines))
    return recipe_for(path, model="new:tiny", vocab_size=300)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_new_model_knows_the_words_of_its_text(recipe, tmp_path) -> None:
    heard = Heard()
    recipe = recipe.with_changes(lowercase="on")
    folder = make_new_model(recipe, cache=tmp_path / "cache", listen=heard)
    tokenizer = load_tokenizer(str(folder))
    assert tokenizer.tokenize("Cardiology: STENOSIS") == ["cardiology", "[UNK]", "stenosis"]
    assert len(tokenizer) <= 300
    loaded = load_model(str(folder))
    assert loaded.notes == ()
    assert (loaded.model.config.num_hidden_layers, loaded.model.config.hidden_size) == (2, 128)
    assert loaded.model.config.vocab_size == len(tokenizer)
    corpus = prepare_corpus(recipe, tokenizer, max_chunk=512, cache=tmp_path / "cache", listen=heard)
    assert corpus.train.documents == 160
    assert any("vocabulary of" in text and "not 300" in text for text in heard.texts)


def test_the_same_recipe_gives_the_same_files_and_another_seed_other_weights(recipe, tmp_path) -> None:
    one = make_new_model(recipe, cache=tmp_path / "one", listen=Heard())
    two = make_new_model(recipe, cache=tmp_path / "two", listen=Heard())
    assert digests(one) == digests(two)
    assert make_new_model(recipe, cache=tmp_path / "one", listen=Heard()) == one
    other = make_new_model(recipe.with_changes(seed=7, split_seed=42), cache=tmp_path / "one", listen=Heard())
    changed = {name for name, digest in digests(other).items() if digests(one)[name] != digest}
    assert changed == {"model.safetensors"}


def test_words_of_the_test_are_not_learnt(recipe, tmp_path) -> None:
    path = Path(recipe.dataset)
    lines = [
        f"{line} only{'abcdefghij'[n % 10]}{n // 10:02}"
        for n, line in enumerate(path.read_text().splitlines())
    ]
    path.write_text("\n".join(lines))
    folder = make_new_model(recipe.with_changes(vocab_size=5000), cache=tmp_path / "cache", listen=Heard())
    vocabulary = load_tokenizer(str(folder)).get_vocab()
    assert sum(line.split()[-1] in vocabulary for line in lines) <= 160


def test_a_shape_that_is_not_there_names_those_that_are(recipe, tmp_path) -> None:
    with pytest.raises(ModelError, match=r"no shape new:huge.*new:tiny, new:mini"):
        make_new_model(recipe.with_changes(model="new:huge"), cache=tmp_path, listen=Heard())


def test_case_is_kept_unless_asked_otherwise(recipe, tmp_path) -> None:
    path = Path(recipe.dataset)
    path.write_text(path.read_text().replace("aortic", "Äortic"))
    kept = load_tokenizer(str(make_new_model(recipe, cache=tmp_path / "cache", listen=Heard())))
    assert kept.tokenize("Äortic valve") == ["Äortic", "valve"]
    lowered = recipe.with_changes(lowercase=True)
    small = load_tokenizer(str(make_new_model(lowered, cache=tmp_path / "cache", listen=Heard())))
    assert small.tokenize("Äortic VALVE") == ["äortic", "valve"]


def test_a_runs_own_tokenizer_is_taken_where_it_has_one(recipe, tmp_path) -> None:
    """As of a run that an earlier version began, whose tokenizer it learnt in another way."""
    theirs = make_new_model(recipe.with_changes(tokenizer="bytes"), cache=tmp_path / "theirs", listen=Heard())
    again = make_new_model(recipe, cache=tmp_path / "ours", listen=Heard(), saved=theirs)
    assert digests(again)["tokenizer.json"] == digests(theirs)["tokenizer.json"]
    assert digests(again)["model.safetensors"] == digests(theirs)["model.safetensors"]
    assert make_new_model(recipe, cache=tmp_path / "ours", listen=Heard(), saved=theirs) == again


def test_a_stored_recipe_of_before_means_what_it_meant() -> None:
    old = {"model": "new:tiny", "dataset": "text.txt"}
    assert StoredRecipe(old).complete().lowercase == StoredRecipe(old).filled().lowercase == "on"
    assert Recipe.parse(old).lowercase == "off"
    assert StoredRecipe({**old, "model": "starter"}).complete().lowercase == "off"
    assert agree(old, StoredRecipe(old).complete().model_dump(), Affects.TEXT)
