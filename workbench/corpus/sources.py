"""From what a recipe calls its data set to where the text is read from."""

from __future__ import annotations

from pathlib import Path

from workbench.corpus.documents import Source
from workbench.corpus.files import LocalFiles, is_local
from workbench.corpus.hub import HubDataset
from workbench.corpus.python_docs import NAME as PYTHON_DOCS
from workbench.corpus.python_docs import PythonDocs
from workbench.corpus.saved import SavedDataset, is_saved
from workbench.recipe import Recipe


def open_source(recipe: Recipe, cache: Path) -> Source:
    """The recipe's source. What has that name on this machine goes before the hub. Raises CorpusError."""
    if recipe.dataset == PYTHON_DOCS:
        return PythonDocs()
    if is_saved(recipe.dataset):
        return SavedDataset(recipe.dataset, recipe.dataset_split, recipe.text_column)
    if is_local(recipe.dataset):
        return LocalFiles(recipe.dataset, recipe.text_column, recipe.documents)
    return HubDataset(
        recipe.dataset,
        subset=recipe.dataset_subset,
        split=recipe.dataset_split,
        revision=recipe.dataset_revision,
        text_column=recipe.text_column,
        memory=cache / "hub-revisions.json",
    )
