"""The split: which rows are trained on and which are held out, by document, from a seed."""

from __future__ import annotations

import math

import numpy as np

from workbench.corpus.notes import Notes
from workbench.errors import CorpusError


def split_rows(
    rows: int,
    test_size: int | float,
    train_size: int | None,
    seed: int,
    notes: Notes,
    *,
    in_order: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers (train, test), int64, in reading order: those of the datasets library's `train_test_split`
    with that seed.

    One permutation, test rows first, train rows after the whole test side. So the test rows do not change
    with train_size, and a smaller test is the beginning of a larger one.

    test_size: rows, or a share below 1, rounded up. train_size: rows; None: all that are left. When fewer are
    left than asked for they are all taken, and `notes` says so. in_order: the rows were shuffled before, and
    the permutation is the one that changes nothing. Raises CorpusError when none would be left.
    """
    test = math.ceil(test_size * rows) if isinstance(test_size, float) else test_size
    if rows < 2:
        raise CorpusError(
            f"The text is {rows} document{'s' * (rows != 1)}: two are needed, one as the test.",
            "A .txt file holds one document a line; several .txt files, a document each.",
        )
    if test >= rows:
        raise CorpusError(
            f"test_size holds out {test:,} rows, but there are only {rows:,}.",
            f"Lower it (--test-size), for instance to {max(1, rows // 5):,}.",
        )
    left = rows - test
    if train_size is not None and train_size > left:
        notes.warning(
            f"Training on {left:,} rows, not {train_size:,}: there are {rows:,} with the test's {test:,}."
        )
    shuffled = np.arange(rows) if in_order else np.random.default_rng(seed).permutation(rows)
    order = shuffled.astype(np.int64, copy=False)
    return order[test : test + (left if train_size is None else min(train_size, left))], order[:test]
