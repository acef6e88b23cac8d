from __future__ import annotations

import numpy as np
import pytest
from datasets import Dataset

from tests.corpus.conftest import Heard
from workbench.corpus.notes import Notes
from workbench.corpus.split import split_rows
from workbench.errors import CorpusError


def split(rows: int, test_size: int | float, train_size: int | None = None, seed: int = 42):
    return split_rows(rows, test_size, train_size, seed, Notes(lambda event: None))


@pytest.mark.parametrize(("test_size", "train_size"), [(20, 50), (0.2, None), (0.33, 10), (1, None)])
def test_the_rows_are_those_of_the_datasets_library(test_size, train_size) -> None:
    ours = split(101, test_size, train_size, seed=7)
    theirs = Dataset.from_dict({"row": range(101)}).train_test_split(
        test_size=test_size, train_size=train_size, seed=7
    )
    assert ours[0].tolist() == list(theirs["train"]["row"])
    assert ours[1].tolist() == list(theirs["test"]["row"])


def test_no_row_is_on_both_sides_and_none_is_lost() -> None:
    train, test = split(1000, 0.2)
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(1000))


def test_test_rows_do_not_change_with_the_train_size() -> None:
    assert np.array_equal(split(1000, 100, 10)[1], split(1000, 100, 800)[1])


def test_a_smaller_test_is_the_beginning_of_a_larger_one() -> None:
    assert np.array_equal(split(1000, 50)[1], split(1000, 300)[1][:50])


def test_another_seed_takes_other_rows() -> None:
    assert not np.array_equal(split(1000, 50, seed=1)[1], split(1000, 50, seed=2)[1])


def test_fewer_rows_than_asked_for_are_all_taken_and_said() -> None:
    heard = Heard()
    train, test = split_rows(100, 20, 500, 1, Notes(heard))
    assert (len(train), len(test)) == (80, 20)
    assert heard[0].level == "warning"
    assert heard.texts == ["Training on 80 rows, not 500: 20 of the 100 rows are for the test."]


@pytest.mark.parametrize(
    ("rows", "test_size", "message"),
    [(0, 0.2, "0 documents"), (1, 0.2, "1 document;"), (50, 50, "only 50"), (2, 0.9, "only 2")],
)
def test_a_split_that_leaves_nothing_to_train_on_is_refused(rows, test_size, message) -> None:
    with pytest.raises(CorpusError, match=message):
        split(rows, test_size)
