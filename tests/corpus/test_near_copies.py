"""Copies are found, and stand on one side of the split; where there are none it is as it ever was."""

from __future__ import annotations

import random
import unicodedata
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import prepare_corpus
from workbench.corpus.documents import ListedDocuments
from workbench.corpus.near_copies import NEAR, Copies, find_copies, jaccard
from workbench.corpus.notes import Notes
from workbench.corpus.selection import selected_rows
from workbench.corpus.split import OnlyCopies, split_rows

QUIET = Notes(lambda event: None)


def copies(texts: list[str], folder: Path) -> Copies:
    return find_copies(ListedDocuments(texts), np.arange(len(texts)), folder, QUIET)


def article(draw: random.Random, words: int = 200) -> list[str]:
    return [f"word{min(int(draw.expovariate(1 / 900)), 5000)}" for _ in range(words)]


def changed(draw: random.Random, words: list[str], similarity: float) -> str:
    """A copy with words replaced until it is no more similar than that."""
    words = list(words)
    original = " ".join(words)
    while jaccard(original, " ".join(words)) > similarity:
        words[draw.randrange(len(words))] = f"other{draw.randrange(10_000)}"
    return " ".join(words)


def test_planted_copies_are_found_and_no_others(tmp_path) -> None:
    draw = random.Random(3)
    originals = [article(draw) for _ in range(1000)]
    texts = [" ".join(words) for words in originals]
    texts += [changed(draw, words, 0.8) for words in originals[:400]]  # to be found
    texts += [changed(draw, words, 0.5) for words in originals[400:800]]  # not to be found
    groups = copies(texts, tmp_path).groups
    found = sum(groups[1000 + n] == groups[n] for n in range(400))
    false = sum(groups[1400 + n] == groups[400 + n] for n in range(400))
    assert found >= 0.95 * 400
    assert false == 0
    others = [row for row in range(1000) if groups[row] != row]
    assert not others
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (
            "The same words in the same order, all of them.",
            "the SAME words  in the\nsame order, all of them.",
            True,
        ),
        (
            "老房子整个冬天都关着，直到春天孙女们回来。",
            "老房子整个冬天都关着，直到春天孙子们回来。",
            True,
        ),
        ("Order of words matters to pairs of them", "them of pairs to matters words of Order", False),
        ("one", "One", True),
        ("this is the text of number one", "this is the text of number two", False),
        ("one", "two", False),
        ("", " ", False),
        ("", "", False),
    ],
)
def test_what_counts_as_a_copy(tmp_path, one, other, near) -> None:
    found = copies([one, "something else stands between the two of them", other], tmp_path)
    assert (found.groups[2] == 0) == near
    assert jaccard(one, other) >= NEAR or not near


def test_equal_texts_and_near_ones_are_told_apart(tmp_path) -> None:
    text = "a text of some words that stands here " + " ".join("abcdefghijklmnop")
    found = copies([text, "another one", f" {text}\n", text.upper(), ""], tmp_path)
    assert found.groups.tolist() == [0, 1, 0, 0, 4]
    assert found.equal.tolist() == [False, False, True, False, False]
    assert (found.near, found.pairs) == (1, ((0, 3),))
    assert found.first.tolist() == [True, True, False, False, True]


@given(
    groups=st.lists(st.integers(0, 30), min_size=2, max_size=120),
    test=st.integers(1, 60),
    seed=st.integers(0, 1000),
    train=st.none() | st.integers(1, 60),
)
def test_no_group_is_on_both_sides(groups, test, seed, train) -> None:
    labels = np.array(groups)
    rows = len(groups)
    if test >= rows:
        return
    try:
        train_rows, test_rows = split_rows(rows, test, train, seed, QUIET, groups=labels)
    except OnlyCopies:
        assert test > int((np.bincount(labels)[labels] == 1).sum())
        return
    assert len(test_rows) == test
    assert not set(labels[train_rows]) & set(labels[test_rows])
    assert len({*train_rows.tolist(), *test_rows.tolist()}) == len(train_rows) + len(test_rows)
    alone = int((np.bincount(labels)[labels] == 1).sum())
    if train is None and test <= alone:  # nothing is lost
        assert len(train_rows) == rows - test
    for fewer in range(1, test):  # a smaller test is the beginning of a larger one
        with suppress(OnlyCopies):
            smaller = split_rows(rows, fewer, None, seed, QUIET, groups=labels)[1]
            assert np.array_equal(smaller, test_rows[:fewer])
    assert np.array_equal(split_rows(rows, test, None, seed, QUIET, groups=labels)[1], test_rows)


@given(rows=st.integers(2, 300), seed=st.integers(0, 1000), share=st.floats(0.05, 0.9))
def test_without_copies_the_split_is_the_librarys(rows, seed, share) -> None:
    test = min(rows - 1, max(1, int(share * rows)))
    plain = split_rows(rows, test, None, seed, QUIET)
    grouped = split_rows(rows, test, None, seed, QUIET, groups=np.arange(rows))
    assert all(np.array_equal(one, other) for one, other in zip(plain, grouped, strict=True))


def test_one_text_that_fills_a_third_of_the_rows_does_not_fill_the_test() -> None:
    groups = np.arange(900)
    groups[::3] = 0
    train, test = split_rows(900, 200, None, 42, QUIET, groups=groups)
    assert (len(train), len(test)) == (700, 200)
    assert not np.isin(test, np.arange(0, 900, 3)).any()


def test_where_nearly_all_is_alike_a_warning_says_that_it_is_on_both_sides(tmp_path) -> None:
    line = " ".join(f"word{n}" for n in range(40))
    heard = Heard()
    documents = ListedDocuments([line] * 40 + [line.upper()] * 3)
    train, test = selected_rows(documents, recipe_for("a.txt"), tmp_path, Notes(heard))
    assert (len(train), len(test)) == (34, 9)
    assert any("Equal documents are on both sides of the split" in note for note in heard.texts)


@pytest.mark.parametrize("duplicates", ["keep", "drop", "drop_near"])
def test_no_test_document_is_trained_on(tmp_path, duplicates) -> None:
    draw = random.Random(5)
    originals = [article(draw, 60) for _ in range(150)]
    texts = [" ".join(words) for words in originals]
    texts += texts[:40] + [changed(draw, words, 0.8) for words in originals[40:70]]
    draw.shuffle(texts)
    documents = ListedDocuments(texts)
    heard = Heard()
    recipe = recipe_for("a.txt", duplicates=duplicates, test_size=30)
    train, test = selected_rows(documents, recipe, tmp_path, Notes(heard))
    assert max(jaccard(texts[one], texts[other]) for one in test for other in train) < NEAR
    assert len(train) + len(test) == {"keep": 220, "drop": 180, "drop_near": 150}[duplicates]
    told = " ".join(heard.texts)
    assert "40 of 220 documents are equal to an earlier one" in told
    assert "30 of 220 documents are nearly equal to an earlier one" in told
    assert "document " in told


def test_rows_that_come_in_order_are_kept_apart_too(tmp_path) -> None:
    texts = [f"the text number {n} of these, with {n * n} more words" for n in range(40)]
    documents = ListedDocuments([*texts[:5], texts[2], *texts[5:]])
    documents.in_order = True
    train, test = selected_rows(documents, recipe_for("a.txt", test_size=6), tmp_path, QUIET)
    assert test.tolist() == [0, 1, 3, 4, 6, 7]
    assert train.tolist()[:2] == [2, 5]


def test_an_inspection_or_a_training_tells_of_them(tmp_path, tokenizer) -> None:
    path = tmp_path / "a.txt"
    lines = [f"this is the text of number {n}, which has words of its own: {n * n}" for n in range(60)]
    path.write_text("\n".join([*lines, *lines[:10]]))
    recipe = recipe_for(path)
    corpus = prepare_corpus(recipe, tokenizer, max_chunk=512, cache=tmp_path / "cache", listen=Heard())
    assert any("10 of 70 documents are equal to an earlier one" in note for note in corpus.notes)
    assert corpus.repeated == 10
    again = prepare_corpus(recipe, tokenizer, max_chunk=512, cache=tmp_path / "cache", listen=Heard())
    assert again.from_cache and again.notes == corpus.notes


def test_the_same_letters_in_other_codes_are_copies(tmp_path) -> None:
    text = "Après l'été, la fête de l'hôtel à Orléans n'était déjà plus qu'un rêve de la fenêtre du château"
    others = [
        unicodedata.normalize("NFD", text),
        text.replace(" ", "\xa0"),
        text.replace("fen", "fen\xad"),
        text.replace("rêve", "\u200brêve"),
    ]
    assert copies([text, *others], tmp_path).groups.tolist() == [0] * 5
