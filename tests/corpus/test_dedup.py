"""Repeated and near-empty documents: counted in any case, left out where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import prepare_corpus
from workbench.corpus.dedup import has_words, hashes, repeated, sieve
from workbench.corpus.documents import ListedDocuments
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

TEXTS = ["one two three", "four", " one two three ", "", "  ", "four", "five six", "one two three"]


def left(**how: object) -> list[int] | None:
    rows = sieve(ListedDocuments(TEXTS), notes=Notes(Heard()), **how)  # type: ignore[arg-type]
    return None if rows is None else rows.tolist()


def test_a_text_was_there_before_whatever_blanks_are_around_it() -> None:
    assert repeated(hashes(TEXTS)).tolist() == [False, False, True, False, False, True, False, True]


def test_repeated_is_what_a_set_would_say() -> None:
    draw = np.random.default_rng(1).integers(0, 300, 1000)
    seen: set[int] = set()
    expected = [bool(n in seen or seen.add(n)) for n in draw.tolist()]
    assert repeated(hashes([f"text {n}" for n in draw])).tolist() == expected


@pytest.mark.parametrize(
    ("text", "words"), [("a b c", 3), ("海边的", 3), (" a  b\nc ", 3), ("", 0), ("one", 1)]
)
def test_words_are_counted_no_further_than_is_asked(text, words) -> None:
    assert [has_words(text, n) for n in range(words + 2)] == [True] * (words + 1) + [False]


def test_what_is_left() -> None:
    assert left(min_words=0) is None
    assert left(min_words=2) == [0, 2, 6, 7]
    with pytest.raises(CorpusError, match="None of the 8 documents has"):
        left(min_words=4)


def test_a_preparation_counts_them_and_leaves_them_out(tokenizer, tmp_path) -> None:
    path = tmp_path / "a.txt"
    lines = [f"this is the text of number {n}" for n in range(40)]
    path.write_text("\n".join([*lines, *lines[:10], "", "too short"]))

    def prepared(**changes: object):
        heard = Heard()
        recipe = recipe_for(path, **changes)
        return prepare_corpus(recipe, tokenizer, max_chunk=512, cache=tmp_path / "cache", listen=heard), heard

    corpus, heard = prepared()
    assert (corpus.repeated, corpus.near_empty, corpus.empty) == (10, 1, 1)
    assert any("10 of 52 documents are equal to an earlier one: kept" in text for text in heard.texts)
    less, heard = prepared(duplicates="drop", min_words=3)
    assert (less.repeated, less.near_empty, less.empty) == (0, 0, 0)
    assert less.train.documents + less.test.documents == 40
    assert any("10 of 50 documents are equal to an earlier one: left out" in text for text in heard.texts)
    assert any("Left out 2 documents with fewer than 3 words" in text for text in heard.texts)
    path.write_text("\n".join(lines))
    assert prepared()[0].fingerprint == less.fingerprint
