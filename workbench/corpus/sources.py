"""Opens the source that a recipe's `dataset` names."""

from __future__ import annotations

from pathlib import Path

from workbench.corpus.documents import Source
from workbench.corpus.files import LocalFiles, is_local
from workbench.corpus.hub import HubDataset, Streamed
from workbench.corpus.python_docs import NAME as PYTHON_DOCS
from workbench.corpus.python_docs import PythonDocs
from workbench.corpus.saved import SavedDataset, is_saved
from workbench.errors import CorpusError
from workbench.recipe import Recipe


def open_source(recipe: Recipe, cache: Path) -> Source:
    """The recipe's source. Local files take precedence over the hub. Raises CorpusError."""
    if recipe.dataset == PYTHON_DOCS:
        return PythonDocs()
    if is_saved(recipe.dataset):
        return SavedDataset(recipe.dataset, recipe.dataset_split, recipe.text_column)
    if is_local(recipe.dataset):
        return LocalFiles(recipe.dataset, recipe.text_column, recipe.documents, recipe.encoding)
    return HubDataset(
        recipe.dataset,
        subset=recipe.dataset_subset,
        split=recipe.dataset_split,
        revision=recipe.dataset_revision,
        text_column=recipe.text_column,
        memory=cache / "hub-revisions.json",
        streamed=_streamed(recipe),
    )


def _streamed(recipe: Recipe) -> Streamed | None:
    """The rows to stream from the hub; None if the recipe does not stream. Raises CorpusError."""
    if recipe.dataset_streaming == "off":
        return None
    if recipe.train_size is None or isinstance(recipe.test_size, float):
        raise CorpusError(
            "A streamed data set has no known size: train_size and test_size must be numbers of rows.",
            "Set both, or dataset_streaming = off.",
        )
    return Streamed(recipe.test_size + recipe.train_size, recipe.seed_of_split)
