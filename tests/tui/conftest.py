"""A real store with runs in every state, and the program on it without a terminal."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.processes import identity_of
from workbench.recipe import PRESETS, Recipe
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.theme import PLAIN
from workbench.worker import liveness

from .support import HOST, NOW, add_points, losses

STARTER = PRESETS["starter"]
DATA = {"train_tokens": 302_085}
ENGINE = {
    "device": "cpu",
    "precision": "bf16",
    "batch_size": 16,
    "gradient_accumulation": 1,
    "processes": 1,
    "steps_per_epoch": 148,
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store. Named relative to the folder, so that pictures do not show a temporary path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platform.node", lambda: HOST)
    opened = Store.open("experiments.db")
    yield opened
    opened.close()


@pytest.fixture
def app(store: Store) -> WorkbenchApp:
    """The program on `store`, with a clock that stands still."""
    return WorkbenchApp(store, clock=lambda: NOW)


@pytest.fixture
def app_without_colour(store: Store, monkeypatch: pytest.MonkeyPatch) -> WorkbenchApp:
    """As under NO_COLOR=1."""
    monkeypatch.setenv("NO_COLOR", "1")
    return WorkbenchApp(store, clock=lambda: NOW)


@pytest.fixture
def app_of_16_colours(app: WorkbenchApp) -> WorkbenchApp:
    """As on a terminal of 16 colours."""
    app.theme = PLAIN.name
    return app


def add_run(store: Store, name: str, recipe: Recipe = STARTER, **fields: Any) -> int:
    """A run with these columns; it began 100 s ago and, unless it is going, has just ended."""
    run_id = store.create_run(recipe, name=name).id
    assert run_id is not None
    going = fields.get("status") == "running"
    times = {"started_at": NOW - 100, "ended_at": None if going else NOW}
    store.update_run(run_id, **{**times, **fields})
    Path(store.run(run_id).folder).mkdir(parents=True)
    return run_id


@pytest.fixture
def history(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Six runs, one in each state; the newest is in the middle of its training."""
    monkeypatch.setattr(liveness, "QUIET_SECONDS", 600.0)  # what stands for its worker has no heartbeat
    done = {"data": DATA, "engine": ENGINE, "host": HOST, "tokens_per_second": 20_100.0, "checkpoint": "gone"}
    add_run(
        store,
        "first",
        STARTER.with_changes(epochs=2),
        status="finished",
        epoch=2.0,
        step=296,
        total_steps=296,
        baseline_perplexity=3512.0,
        eval_perplexity=45.2,
        best_eval_perplexity=44.9,
        train_perplexity=43.0,
        **done,
    )
    add_points(store, 1, "train/loss", losses(296))
    add_points(store, 1, "eval/perplexity", [(0, 3512.0), (148, 75.1), (296, 45.2)])
    add_run(store, "waiting", status="queued", started_at=None, ended_at=None)
    add_run(
        store,
        "[red]odd[/red]",
        status="stopped",
        epoch=0.7,
        step=100,
        total_steps=444,
        baseline_perplexity=3512.0,
        eval_perplexity=99.0,
    )
    add_run(
        store, "vanished", status="crashed", epoch=0.3, step=33, total_steps=444, error="Its process is gone."
    )
    add_run(
        store,
        "a very long name that somebody typed with 日本語 in it",
        PRESETS["xsum"],
        status="failed",
        error="No network: the data set EdinburghNLP/xsum cannot be fetched.",
        error_hint="The preset `starter` works offline.",
    )
    add_run(
        store,
        "starter-now",
        status="running",
        phase="training",
        epoch=1.42,
        step=210,
        total_steps=444,
        progress_done=210,
        progress_total=444,
        progress_unit="steps",
        baseline_perplexity=3512.0,
        eval_perplexity=75.1,
        best_eval_perplexity=75.1,
        train_perplexity=61.0,
        **done,
    )
    add_points(store, 6, "train/loss", losses(210))
    add_points(store, 6, "eval/perplexity", [(0, 3512.0), (148, 75.1)])
    add_points(store, 6, "train/learning_rate", [(210, 1e-3)])
    add_points(store, 6, "train/grad_norm", [(210, 1.23)])
    # A process that stands for the worker, so that the run is not marked as crashed.
    worker = subprocess.Popen(["sleep", "600"])
    store.update_run(6, **identity_of(worker.pid).columns())
    (Path(store.run(6).folder) / "worker.log").write_text(
        "Reading python-docs: 415 documents.\nbf16 on the CPU, masked-only head.\nepoch 1: test 75.1\n",
        encoding="utf-8",
    )
    for text, filled in (
        ("An older [MASK]?", "An older man?"),
        (ASKED, "The length of the list is an integer."),
    ):
        store.add_fill(model="6 starter-now", run_id=6, text=text, result=answer(text, filled))
    yield store
    worker.kill()
    worker.wait()


ASKED = "The [MASK] of the list is an [MASK]."


def answer(text: str, filled: str) -> dict[str, Any]:
    """A stored answer, with made-up probabilities."""
    words = [("length", "value", "size", "end", "order"), ("integer", "object", "error", "iterator", "int")]
    shares = [(0.41, 0.2, 0.11, 0.03, 0.01), (0.61, 0.2, 0.05, 0.03, 0.004)]
    masks = [
        {
            "position": 2 + 6 * i,
            "predictions": [
                {"text": word, "token_id": j, "probability": share}
                for j, (word, share) in enumerate(zip(words[i], shares[i], strict=True))
            ],
        }
        for i in range(text.count("[MASK]"))
    ]
    return {"text": text, "filled": filled, "masks": masks}


@pytest.fixture
def crowd(store: Store) -> Store:
    """More runs than fit on the screen."""
    for i in range(60):
        add_run(
            store,
            f"sweep-{i:02}",
            STARTER.with_changes(chunk_size=(64, 128, 256)[i % 3]),
            status="finished",
            epoch=3.0,
            baseline_perplexity=3512.0,
            eval_perplexity=40.0 + i,
            best_eval_perplexity=40.0 + i,
        )
    return store


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screens are the same whether or not the machine of the tests has Slurm."""
    monkeypatch.setattr("workbench.tui.new_run.where.is_installed", lambda: False)
