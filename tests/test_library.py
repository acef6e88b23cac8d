"""The workbench from Python."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import workbench
from workbench import Recipe, Store, train
from workbench.errors import TrainingError
from workbench.status import Status
from workbench.store import Run
from workbench.worker import launch

from .worker.conftest import endless, one_thread, recipe, small_model, store, text_file, wait_for_end  # noqa: F401

DOCUMENT = Path(__file__).parent.parent / "docs" / "library.md"


def test_the_names_are_there_and_loaded_late() -> None:
    assert {"Recipe", "Store", "train"} <= set(dir(workbench))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        workbench.nothing  # noqa: B018
    script = "import sys, workbench; print(sorted(name for name in sys.modules if 'workbench' in name))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "['workbench']"
    script = "from workbench import Recipe, Store, train; import sys; print('torch' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"


def test_the_example_of_the_documentation_runs(text_file: Path, tmp_path: Path) -> None:  # noqa: F811
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "notes.txt").write_text(text_file.read_text())
    done = subprocess.run(
        [sys.executable, "-P", "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    first, *measured, checkpoint = done.stdout.splitlines()
    assert first.startswith("finished ") and len(measured) == 2
    assert (Path(checkpoint) / "model.safetensors").is_file()


def test_a_listener_is_told_until_the_end(store: Store, recipe: Recipe) -> None:  # noqa: F811
    told: list[Run] = []
    run = train(recipe.with_changes(epochs=1), store=store, listen=told.append)
    assert run.status == Status.FINISHED and told[-1].status == Status.FINISHED
    assert len({one.phase for one in told}) > 1


def test_a_run_that_fails_raises_what_was_wrong(store: Store, recipe: Recipe, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(TrainingError, match="failed"):
        train(recipe.with_changes(dataset=str(tmp_path / "none.txt")), store=store.url)
    assert store.runs()[0].status == Status.FAILED


def test_without_waiting_it_returns_at_once(store: Store, endless: Recipe) -> None:  # noqa: F811
    run = train(endless, store=store, wait=False)
    assert run.status == Status.QUEUED
    launch.stop(store, run.id)
    wait_for_end(store, run.id)


def test_an_interrupt_stops_the_run_with_a_checkpoint(store: Store, endless: Recipe) -> None:  # noqa: F811
    sent: list[int] = []

    def interrupt(run: Run) -> None:
        if (run.step or 0) > 2 and not sent:
            sent.append(os.getpid())
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(endless, store=store, listen=interrupt)
    run = store.runs()[0]
    assert run.status == Status.STOPPED and run.checkpoint
