"""A run whose process is gone is never shown as running; one that stands still is said to."""

from __future__ import annotations

import os
import signal

import pytest

from workbench.processes import is_suspended
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store

from ..cli.conftest import Cli
from .conftest import begin, cli, wait_for, wait_for_end, wait_until  # noqa: F401

pytestmark = pytest.mark.usefixtures("from_nursery")


def test_the_next_command_knows_of_a_kill(store: Store, tiny: Recipe, cli: Cli) -> None:  # noqa: F811
    run_id = begin(store, tiny.with_changes(epochs=10_000, max_steps=20_000))
    pid = wait_for(store, run_id, lambda run: (run.step or 0) > 0).worker_pid
    assert pid is not None
    assert cli("show", str(run_id), "--json").json["status"] == "running"
    os.kill(pid, signal.SIGKILL)
    shown = cli("show", str(run_id))
    assert ": crashed" in shown.out and f"pid {pid}" in shown.out and "The log ends with:" in shown.out
    assert f"mlm-workbench resume {run_id}" in shown.out
    (listed,) = cli("runs", "--json").json
    assert listed["status"] == "crashed" and listed["stalled"] is None


def test_a_run_that_is_held_stalls_and_goes_on_to_the_same_numbers(
    store: Store,
    tiny: Recipe,
    cli: Cli,  # noqa: F811
) -> None:
    recipe = tiny.with_changes(epochs=20, eval_every=0, checkpoint_every=0)
    whole = wait_for_end(store, begin(store, recipe, "whole"))
    run_id = begin(store, recipe, "held")
    pid = wait_for(store, run_id, lambda run: (run.step or 0) > 0).worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: is_suspended(pid), "the stop")
    assert ", stalled" in cli("runs").out
    assert f"It stalls: suspended; `kill -CONT {pid}` continues it." in cli("show", "held").out
    listed = cli("runs", "--json").json[0]
    assert listed["status"] == "running" and listed["stalled"].startswith("suspended")
    os.kill(pid, signal.SIGCONT)
    run = wait_for_end(store, run_id)
    assert run.status == Status.FINISHED and run.eval_perplexity == whole.eval_perplexity
