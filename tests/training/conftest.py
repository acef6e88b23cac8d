"""A small model and a small text of its own, so that a training takes a second."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from transformers import BertConfig, BertForMaskedLM

from workbench.events import CheckpointSaved, Event, Metrics
from workbench.pretrained.starter import starter_folder
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.training.engine import train

WORDS = ["the", "a", "cat", "dog", "bird", "sat", "ran", "flew", "on", "under", "mat", "tree", "house", "old"]


@pytest.fixture(scope="session")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 documents of 12 to 40 words, a document a line."""
    draw = random.Random(0)
    lines = [" ".join(draw.choices(WORDS, k=draw.randint(12, 40))) for _ in range(300)]
    path = tmp_path_factory.mktemp("text") / "animals.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Path]:
    """A folder with a random two-layer BERT of the given dropout and the starter's tokenizer."""
    import torch

    def make(dropout: float) -> Path:
        folder = tmp_path_factory.mktemp("model")
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=30522,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        BertForMaskedLM(config).save_pretrained(folder)
        load_tokenizer(str(starter_folder()), None).save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def with_dropout(small_model: Callable[[float], Path]) -> Path:
    return small_model(0.1)


@pytest.fixture(scope="session")
def without_dropout(small_model: Callable[[float], Path]) -> Path:
    return small_model(0.0)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def recipe(text_file: Path, with_dropout: Path) -> Recipe:
    """About 200 chunks of 32: some 13 steps of 16 an epoch."""
    return Recipe(
        model=str(with_dropout),
        dataset=str(text_file),
        text_column=None,
        train_size=None,
        test_size=0.2,
        chunk_size=32,
        batch_size=16,
        learning_rate=1e-3,
        epochs=2,
        device="cpu",
    )


@dataclass
class Training:
    """What a training told, and where it left its checkpoints."""

    folder: Path
    outcome: Status | None = None
    events: list[Event] = field(default_factory=list)

    def values(self, name: str) -> dict[int, float]:
        """A metric by step."""
        told = [event for event in self.events if isinstance(event, Metrics)]
        return {event.step: event.values[name] for event in told if name in event.values}

    @property
    def checkpoints(self) -> list[CheckpointSaved]:
        return [event for event in self.events if isinstance(event, CheckpointSaved)]

    def the(self, kind: type[Event]) -> Event:
        """The last event of a kind."""
        return [event for event in self.events if isinstance(event, kind)][-1]


@pytest.fixture
def run_training(tmp_path: Path, cache: Path) -> Callable[..., Training]:
    """Train a recipe in this process; `stop_after` N: ask it to stop once it has told of step N."""

    def run(
        recipe: Recipe,
        name: str = "run",
        *,
        stop_after: int | None = None,
        resume_from: Path | None = None,
    ) -> Training:
        training = Training(tmp_path / name)

        def should_stop() -> bool:
            done = [event.step for event in training.events if isinstance(event, Metrics)]
            return stop_after is not None and bool(done) and max(done) >= stop_after

        training.outcome = train(
            recipe,
            training.folder,
            training.events.append,
            cache=cache,
            should_stop=should_stop,
            resume_from=resume_from,
        )
        return training

    return run
