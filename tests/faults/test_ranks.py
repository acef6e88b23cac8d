"""What ends a run of several processes from outside: the leading one killed, their launcher killed."""

from __future__ import annotations

import os
import signal

import pytest

from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store
from workbench.worker import launch

from ..worker.test_processes import all_gone, in_training, nobody_is_left, pids_of  # noqa: F401
from .conftest import FULL, wait_for, wait_for_end

pytestmark = pytest.mark.skipif(not FULL, reason="make faults: each starts three processes of PyTorch")


@pytest.fixture
def long(tiny: Recipe) -> Recipe:
    """A training that ends when it is made to."""
    return tiny.with_changes(epochs=10_000, max_steps=100_000)


def test_the_leading_process_killed_ends_the_others_and_is_named(store: Store, long: Recipe) -> None:
    run = launch.start(store, long, processes=2)
    run = wait_for(store, run.id, in_training)
    assert run.worker_pid is not None
    pids = pids_of(run)
    os.kill(run.worker_pid, signal.SIGKILL)
    crashed = wait_for_end(store, run.id)
    assert crashed.status == Status.CRASHED and crashed.error is not None
    assert crashed.error.startswith(f"Process 0 of 2 (pid {run.worker_pid}) died: killed by signal 9")
    assert all_gone(pids)


def test_without_their_launcher_the_processes_save_a_checkpoint_and_end(store: Store, long: Recipe) -> None:
    run = launch.start(store, long.with_changes(checkpoint_every=0), processes=2)
    run = wait_for(store, run.id, lambda now: (now.step or 0) > 5)
    launcher, *ranks = pids_of(run)
    os.kill(launcher, signal.SIGKILL)
    crashed = wait_for_end(store, run.id)
    assert crashed.status == Status.CRASHED and crashed.checkpoint is not None
    assert crashed.error is not None and "started this run's processes was killed" in crashed.error
    assert all_gone(ranks)


def test_sigterm_to_the_launcher_stops_the_run_with_a_checkpoint(store: Store, long: Recipe) -> None:
    run = launch.start(store, long.with_changes(checkpoint_every=0), processes=2)
    run = wait_for(store, run.id, lambda now: (now.step or 0) > 5)
    pids = pids_of(run)
    os.kill(pids[0], signal.SIGTERM)
    stopped = wait_for_end(store, run.id)
    assert stopped.status == Status.STOPPED and stopped.checkpoint is not None
    assert all_gone(pids)
