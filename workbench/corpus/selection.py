"""Selects the rows that a recipe trains on and those it holds out, without copies across the split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.corpus.dedup import sieve
from workbench.corpus.documents import Documents, named
from workbench.corpus.near_copies import NEAR, Copies, find_copies
from workbench.corpus.notes import Notes
from workbench.corpus.split import OnlyCopies, split_rows
from workbench.recipe import Recipe

_NEAR_COPIES_LEAK = (
    "Nearly equal documents are on both sides of the split, because too many are alike to keep them apart. "
    "The test says little about new text."
)
_EQUAL_COPIES_LEAK = (
    "Equal documents are on both sides of the split, because too many are equal to keep them apart. "
    "duplicates = drop leaves them out."
)
_SHOWN = 40  # characters


def selected_rows(
    documents: Documents, recipe: Recipe, scratch: Path, notes: Notes
) -> tuple[np.ndarray, np.ndarray]:
    """The training rows and the test rows, int64, in reading order. scratch: a folder for temporary files.
    Raises CorpusError if too few rows are left.
    """
    kept = sieve(documents, min_words=recipe.min_words, notes=notes)
    rows = np.arange(len(documents), dtype=np.int64) if kept is None else kept
    copies = find_copies(documents, rows, scratch, notes)
    if copies.near or copies.equal.any():
        _tell(documents, rows, copies, recipe, notes)
    groups, equal_to = copies.groups, copies.equal_to
    if recipe.duplicates != "keep":
        stays = ~copies.equal if recipe.duplicates == "drop" else copies.first
        rows, groups, equal_to = rows[stays], groups[stays], equal_to[stays]
    for kept_apart, warning in ((groups, _NEAR_COPIES_LEAK), (equal_to, _EQUAL_COPIES_LEAK), (None, "")):
        has_copies = kept_apart is not None and len(np.unique(kept_apart)) < len(kept_apart)
        try:
            train, test = split_rows(
                len(rows),
                recipe.test_size,
                recipe.train_size,
                recipe.seed_of_split,
                notes,
                in_order=documents.in_order,
                groups=kept_apart if has_copies else None,
            )
            break
        except OnlyCopies:
            notes.warning(warning)
    return rows[train], rows[test]


def _tell(documents: Documents, rows: np.ndarray, copies: Copies, recipe: Recipe, notes: Notes) -> None:
    """Report the number of copies of each kind, what happens to them, and an example."""
    total = len(rows)
    kept = "kept on one side of the split (duplicates = drop leaves them out)"
    if equal := int(copies.equal.sum()):
        first = int(np.flatnonzero(copies.equal)[0])
        what = kept if recipe.duplicates == "keep" else f"left out (duplicates = {recipe.duplicates})"
        notes.info(
            f"{equal:,} of {total:,} documents are equal to an earlier one: {what}. "
            f"First: {_example(documents, rows, int(copies.equal_to[first]), first)}."
        )
    if copies.near:
        what = kept.replace("drop ", "drop_near ")
        if recipe.duplicates == "drop_near":
            what = "left out (duplicates = drop_near)"
        notes.info(
            f"{copies.near:,} of {total:,} documents are nearly equal to an earlier one, with {NEAR:.0%} or "
            f"more of their word pairs in common: {what}. "
            f"Example: {_example(documents, rows, *copies.pairs[0])}."
        )


def _example(documents: Documents, rows: np.ndarray, first: int, second: int) -> str:
    numbers = rows[[first, second]]
    texts = (" ".join(text[: 4 * _SHOWN].split())[:_SHOWN] for text in documents.texts(numbers))
    names = (named(documents, int(number)) for number in numbers)
    return " and ".join(f"{name} “{text}”" for name, text in zip(names, texts, strict=True))
