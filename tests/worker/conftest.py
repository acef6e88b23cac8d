"""A small text and recipes that train on it for a second or for as long as a test likes."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.processes import is_same_process
from workbench.recipe import PRESETS, Recipe
from workbench.status import ACTIVE
from workbench.store import Run, Store
from workbench.worker import liveness

from ..postgres import empty_store

WORDS = ["the", "a", "cat", "dog", "bird", "sat", "ran", "flew", "on", "under", "mat", "tree", "house", "old"]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small matrices gain nothing by a second thread, and lose much to it on a busy machine."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store, a file unless the test is marked with `on_both`. Workers that a test leaves behind end
    with it."""
    kind = getattr(request, "param", "sqlite")
    opened = Store.open(empty_store(kind, request, tmp_path, monkeypatch))
    yield opened
    for run in opened.active_runs():
        if run.worker_pid is not None and is_same_process(run.worker_pid, run.worker_started_at or 0.0):
            os.kill(run.worker_pid, signal.SIGKILL)
    opened.close()


@pytest.fixture(scope="session")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 documents of 12 to 40 words, a document a line."""
    draw = random.Random(0)
    lines = [" ".join(draw.choices(WORDS, k=draw.randint(12, 40))) for _ in range(300)]
    path = tmp_path_factory.mktemp("text") / "animals.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of a million parameters, the starter's tokenizer: its checkpoints are quick to write."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    from workbench.pretrained.starter import starter_folder
    from workbench.pretrained.tokenizer import load_tokenizer

    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    load_tokenizer(str(starter_folder()), None).save_pretrained(folder)
    return folder


@pytest.fixture
def recipe(text_file: Path, small_model: Path) -> Recipe:
    """Some 200 chunks of 32, 12 steps of 16 in an epoch, with a checkpoint every 5 steps."""
    return PRESETS["starter"].with_changes(
        model=str(small_model),
        dataset=str(text_file),
        chunk_size=32,
        epochs=2,
        batch_size=16,
        checkpoint_every=5,
        device="cpu",
    )


@pytest.fixture
def endless(recipe: Recipe) -> Recipe:
    """A training that ends when it is made to. Left behind by tests that were killed, after some minutes."""
    return recipe.with_changes(epochs=10_000, max_steps=10_000)


def wait_for(store: Store, run_id: int, reached: Callable[[Run], bool], seconds: float = 180) -> Run:
    """The run once it is as wanted. Fails when it does not come, or ends before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        liveness.refresh(store)
        run = store.run(run_id)
        if reached(run):
            return run
        if run.status not in ACTIVE:
            break
        time.sleep(0.05)
    log = Path(run.folder) / liveness.LOG
    raise AssertionError(f"{run.status}, {run.phase}: {run.error}\n{log.read_text() if log.exists() else ''}")


def wait_for_end(store: Store, run_id: int, seconds: float = 180) -> Run:
    """The run once it has ended."""
    return wait_for(store, run_id, lambda run: run.status not in ACTIVE, seconds)


def values(store: Store, run_id: int, name: str) -> list[tuple[int, float]]:
    """A metric by step, as a reader sees it."""
    return [(metric.step, metric.value) for metric in store.metrics(run_id, [name])]
