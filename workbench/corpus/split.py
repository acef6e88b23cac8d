"""Splits documents into training and test rows by a seed."""

from __future__ import annotations

import math

import numpy as np

from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

_MOST_LOST = 0.1


class OnlyCopies(Exception):
    """No split keeps all copies on one side and leaves enough rows to train on."""


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
    with this seed, unless some rows are copies.

    It is one permutation: the test rows first, then the training rows. So the test rows do not change with
    train_size, and a smaller test is the beginning of a larger one.

    groups: int64 (rows,), the same number for rows that are copies of each other; None for no copies. Copies
    stay on one side: the test takes the first rows of the permutation without copies, and all others are
    trained on. If these are not enough, the test adds whole groups, smallest first; rows of the last group
    that do not fit are left out. Raises OnlyCopies if nothing would be left to train on, or if more than
    _MOST_LOST of all rows would be left out.

    test_size: rows, or a share below 1, rounded up. train_size: rows; None for all remaining ones. If fewer
    are left, all of them are taken, with a warning in `notes`. in_order: the rows are already shuffled, so
    the permutation is the identity. Raises CorpusError if no rows would be left to train on.
    """
    test = math.ceil(test_size * rows) if isinstance(test_size, float) else test_size
    if rows < 2:
        raise CorpusError(
            f"The text has {rows} document{'s' * (rows != 1)}; at least two are needed, one for the test.",
            "A single .txt file has one document per line; of several, each is one document.",
        )
    if test >= rows:
        raise CorpusError(
            f"test_size holds out {test:,} rows, but there are only {rows:,}.",
            f"Lower test_size (--test-size), for instance to {max(1, rows // 5):,}.",
        )
    left = rows - test
    if train_size is not None and train_size > left:
        notes.warning(
            f"Training on {left:,} rows, not {train_size:,}: {test:,} of the {rows:,} rows are for the test."
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
            notes.warning(f"Left out {lost:,} copies of test documents, which exceed test_size.")
    else:
        order, test_rows = order[test:], order[:test]
    return order[: left if train_size is None else train_size], test_rows


def _apart(order: np.ndarray, test: int, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The training rows and the test rows, in order, with no group on both sides."""
    own = groups[order]
    _, first, inverse, counts = np.unique(own, return_index=True, return_inverse=True, return_counts=True)
    # rows without copies in the order of the permutation, then the groups, smallest first
    by_group = np.lexsort((np.arange(len(order)), first[inverse], counts[inverse]))
    held_out = order[by_group[:test]]
    return order[~np.isin(own, groups[held_out])], held_out
