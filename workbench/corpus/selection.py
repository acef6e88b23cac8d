"""The rows of a text that a recipe trains on and holds out, with no copy on both sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.corpus.dedup import sieve
from workbench.corpus.documents import Documents, named
from workbench.corpus.near_copies import NEAR, Copies, find_copies
from workbench.corpus.notes import Notes
from workbench.corpus.split import OnlyCopies, split_rows
from workbench.recipe import Recipe

_NEAR_ONES = (
    "Nearly equal documents stand on both sides of the split: so many are alike that they cannot be kept "
    "apart. The test says little about text that is new."
)
_EQUAL_ONES = (
    "Equal documents stand on both sides of the split: so many are equal that they cannot be kept apart. "
    "duplicates = drop leaves them out."
)
_SHOWN = 40  # characters


def selected_rows(
    documents: Documents, recipe: Recipe, scratch: Path, notes: Notes
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the documents, int64: those to train on and those of the test, in reading order. `scratch`: a
    folder for what memory does not hold. Raises CorpusError when too few are left.
    """
    kept = sieve(documents, min_words=recipe.min_words, notes=notes)
    rows = np.arange(len(documents), dtype=np.int64) if kept is None else kept
    copies = find_copies(documents, rows, scratch, notes)
    if copies.near or copies.equal.any():
        _tell(documents, rows, copies, recipe, notes)
    groups, equal_to = copies.groups, copies.equal_to
    if recipe.duplicates != "keep":
        stay = ~copies.equal if recipe.duplicates == "drop" else copies.first
        rows, groups, equal_to = rows[stay], groups[stay], equal_to[stay]
    for wanted, warning in ((groups, _NEAR_ONES), (equal_to, _EQUAL_ONES), (None, "")):
        try:
            train, test = split_rows(
                len(rows),
                recipe.test_size,
                recipe.train_size,
                recipe.seed_of_split,
                notes,
                in_order=documents.in_order,
                groups=None if wanted is None or len(np.unique(wanted)) == len(wanted) else wanted,
            )
            break
        except OnlyCopies:
            notes.warning(warning)
    return rows[train], rows[test]


def _tell(documents: Documents, rows: np.ndarray, copies: Copies, recipe: Recipe, notes: Notes) -> None:
    """How many copies there are, what becomes of them, and an example of each kind."""
    total = len(rows)
    became = "kept, all on one side of the split (duplicates = drop leaves them out)"
    if equal := int(copies.equal.sum()):
        first = int(np.flatnonzero(copies.equal)[0])
        what = became if recipe.duplicates == "keep" else f"left out (duplicates = {recipe.duplicates})"
        notes.info(
            f"{equal:,} of {total:,} documents are equal to an earlier one: {what}. "
            f"The first: {_example(documents, rows, int(copies.equal_to[first]), first)}."
        )
    if copies.near:
        what = became.replace("drop ", "drop_near ")
        if recipe.duplicates == "drop_near":
            what = "left out (duplicates = drop_near)"
        notes.info(
            f"{copies.near:,} of {total:,} documents are nearly equal to an earlier one, with {NEAR:.0%} or "
            f"more of their word pairs in common: {what}. "
            f"For instance {_example(documents, rows, *copies.pairs[0])}."
        )


def _example(documents: Documents, rows: np.ndarray, one: int, other: int) -> str:
    numbers = rows[[one, other]]
    texts = [" ".join(text[: 4 * _SHOWN].split())[:_SHOWN] for text in documents.texts(numbers)]
    first, second = (named(documents, int(number)) for number in numbers)
    return f"{first} “{texts[0]}” and {second} “{texts[1]}”"
