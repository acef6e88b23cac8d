"""Real parts for the corpus tests: the starter's tokenizer and the interpreter's own documentation."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from workbench.corpus import Corpus, prepare_corpus
from workbench.corpus.vocabulary import Vocabulary
from workbench.events import Event, Message
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import PRESETS, Recipe


class Heard(list[Event]):
    """A listener that keeps what it was told."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self if isinstance(event, Message)]


def recipe_for(dataset: str | Path, **changes: object) -> Recipe:
    """The starter's recipe over another text, with a fifth held out."""
    values = {"dataset": str(dataset), "chunk_size": 16, **changes}
    return PRESETS["starter"].with_changes(**values)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer("starter")


@pytest.fixture(scope="session")
def vocabulary(tokenizer: PreTrainedTokenizerBase) -> Vocabulary:
    return Vocabulary.from_tokenizer(tokenizer)


@pytest.fixture(scope="session")
def docs_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def docs(tokenizer: PreTrainedTokenizerBase, docs_cache: Path) -> Corpus:
    """python-docs as the starter preset prepares it."""
    return prepare_corpus(
        PRESETS["starter"], tokenizer, max_chunk=512, cache=docs_cache, listen=lambda event: None
    )
