"""A run whose yardstick cannot be scored, or is not waited for, is finished all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.events import Event, Message
from workbench.paths import cache_folder
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker.scoring import score_run


def work(store: Store, recipe: Recipe) -> tuple[Run, str]:
    """The run after its worker, and what the worker said."""
    run = store.create_run(recipe)
    command = [sys.executable, "-m", "workbench.worker", "--db", store.url, "--run", str(run.id)]
    Path(run.folder).mkdir(parents=True)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return store.run(run.id), done.stderr


def test_a_text_too_short_for_the_yardstick_is_said_and_the_run_is_finished(
    store: Store, recipe: Recipe
) -> None:
    run, said = work(store, recipe.with_changes(test_size=3, epochs=1))
    assert (run.status, run.phase, run.error) == (Status.FINISHED, None, None)
    assert run.yardstick_perplexity is None
    assert store.yardsticks.of_run(run.id) == []
    assert "The yardstick was not scored: The test text has" in said
    assert f"Later: mlm-workbench yardstick {run.id}" in said


def test_a_stop_leaves_the_yardstick_and_a_later_scoring_makes_it(store: Store, recipe: Recipe) -> None:
    run, _ = work(store, recipe.with_changes(epochs=1))
    assert run.yardstick_perplexity is not None
    (score,) = store.yardsticks.of_run(run.id)
    store.yardsticks.remove(score)
    store.update_run(run.id, yardstick_perplexity=None)
    told: list[Event] = []

    def score_it(*, stop: bool) -> None:
        score_run(store, run, told.append, cache=cache_folder(), should_stop=lambda: stop)

    score_it(stop=True)
    assert store.yardsticks.of_run(run.id) == []
    assert [
        event
        for event in told
        if isinstance(event, Message) and "the yardstick is not finished" in event.text
    ]
    score_it(stop=False)
    (again,) = store.yardsticks.of_run(run.id)
    assert again.loss_sum == pytest.approx(score.loss_sum, rel=1e-6)
    assert again.chunk_hashes == score.chunk_hashes
    assert store.run(run.id).yardstick_perplexity == pytest.approx(run.yardstick_perplexity)
