"""The split: which rows are trained on and which are held out, by document, from a seed."""

from __future__ import annotations

import math

import numpy as np

from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

_MOST_LOST = 0.1


class OnlyCopies(Exception):
    """Rows cannot be held out without one that is trained on being a copy of one of them."""


def split_rows(
    rows: int,
    test_size: int | float,
    train_size: int | None,
    seed: int,
    notes: Notes,
    *,
    in_order: bool = False,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers (train, test), int64, in reading order: those of the datasets library's `train_test_split`
    with that seed, as long as no two of them are copies.

    One permutation, test rows first, train rows after the whole test side. So the test rows do not change
    with train_size, and a smaller test is the beginning of a larger one.

    groups: int64 (rows,), the same number for rows that are copies of each other; None: there are none. They
    stay on one side: the test takes the first rows of the permutation that have no copies, and all others are
    trained on. Only where these are not enough, the test takes whole groups after them, the small ones first;
    of the last one what the test has no room for is left out. Raises OnlyCopies where nothing would be left
    to train on, or more than _MOST_LOST of all rows would be left out.

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
    if groups is not None:
        order, test_rows = _apart(order, test, groups)
        left = len(order)
        lost = rows - test - left
        if not left or lost > _MOST_LOST * rows:
            raise OnlyCopies
        if lost:
            notes.warning(f"Left out {lost:,} documents: copies of the test's, for which it has no room.")
    else:
        order, test_rows = order[test:], order[:test]
    return order[: left if train_size is None else train_size], test_rows


def _apart(order: np.ndarray, test: int, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows for training and the rows of the test, in order, so that no group is on both sides."""
    own = groups[order]
    _, first, inverse, counts = np.unique(own, return_index=True, return_inverse=True, return_counts=True)
    # those without copies in the order of the permutation, then group after group, the small ones first
    by_group = np.lexsort((np.arange(len(order)), first[inverse], counts[inverse]))
    held_out = order[by_group[:test]]
    return order[~np.isin(own, groups[held_out])], held_out
