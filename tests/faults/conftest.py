"""What the tests share that break things on purpose: a training of a second, and processes to kill.

`make faults` runs them in full, which takes some minutes; `make test` in a short form.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from workbench.paths import CACHE_VARIABLE
from workbench.processes import identity_of
from workbench.recipe import PRESETS, Recipe
from workbench.status import ACTIVE, Status
from workbench.store import Run, Store
from workbench.worker import launch, liveness

from ..cli.conftest import cli  # noqa: F401
from ..e2e.terminal import TMUX, Terminal
from ..worker.conftest import one_thread, store, wait_for, wait_for_end  # noqa: F401
from .nursery import Nursery

FULL = os.environ.get("MLM_WORKBENCH_FAULTS") == "full"
WORDS = ["the", "a", "cat", "dog", "bird", "sat", "ran", "flew", "on", "under", "mat", "tree", "house", "old"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


def thorough(full: int, short: int) -> int:
    """How often to do something."""
    return full if FULL else short


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT that knows fourteen words: its checkpoints take milliseconds."""
    import torch
    from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-model")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(vocabulary)})
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def few_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 documents of 5 to 25 words, a document a line."""
    draw = random.Random(0)
    lines = [" ".join(draw.choices(WORDS, k=draw.randint(5, 25))) for _ in range(400)]
    path = tmp_path_factory.mktemp("few-words") / "animals.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def tiny(tiny_model: Path, few_words: Path) -> Recipe:
    """Two epochs of some 20 steps, with all that a run does every few of them."""
    return PRESETS["starter"].with_changes(
        model=str(tiny_model),
        dataset=str(few_words),
        chunk_size=16,
        batch_size=16,
        epochs=2,
        eval_every=4,
        checkpoint_every=5,
        device="cpu",
        precision="fp32",
    )


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    started = Nursery()
    yield started
    started.close()


@pytest.fixture
def from_nursery(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., AbstractContextManager[None]]:
    """Workers are children of the nursery, with a cache of their own; all else of `launch` is as it is.

    `with from_nursery(WHAT, ARGUMENT...)`: those that start meanwhile do that instead.
    """
    cache = tmp_path / "cache"
    orders: list[tuple[Any, ...]] = [("work",)]

    def spawn(store: Store, run: Run, environment: Mapping[str, str] | None = None) -> None:  # noqa: F811
        log = str(Path(run.folder) / liveness.LOG)
        what, *more = orders[-1]
        environment = {**(environment or {}), CACHE_VARIABLE: str(cache)}
        pid = nursery.start(what, store.url, run.id, log, *more, **environment)
        identity = identity_of(pid)
        store.change_status(run.id, {Status.QUEUED}, **identity.columns(), heartbeat_at=time.time())

    @contextmanager
    def order(*words: Any) -> Iterator[None]:
        orders.append(words)
        yield
        orders.pop()

    monkeypatch.setattr(launch, "_spawn", spawn)
    return order


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Callable[[str], Terminal]]:
    """Opens windows of tmux with a command in them."""
    if TMUX is None:
        pytest.skip("tmux is not installed")
    opened: list[Terminal] = []

    def start(command: str) -> Terminal:
        folder = tmp_path / f"terminal{len(opened)}"
        folder.mkdir()
        opened.append(Terminal(folder, command, width=100))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def begin(store: Store, recipe: Recipe, name: str | None = None) -> int:  # noqa: F811
    """Start a run; its id."""
    run = launch.start(store, recipe, name)
    return run.id


def wait_until(true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Fails when it does not become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.01)


def is_over(run: Run) -> bool:
    return run.status not in ACTIVE
