"""A database that is locked, cut off, or no database; and several who use one at once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shlex
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.cli import checks
from workbench.errors import StoreError, UsageError
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store
from workbench.worker import launch

from ..cli.conftest import COMMAND, Cli
from ..e2e.terminal import Terminal
from ..postgres import on_both
from .conftest import FULL, begin, cli, thorough, wait_for, wait_for_end, wait_until  # noqa: F401
from .nursery import Nursery

LOCKED_SECONDS = thorough(full=30, short=2)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.usefixtures("from_nursery")
def test_locked_by_another_process(store: Store, tiny: Recipe, tmp_path: Path) -> None:
    recipe = tiny.with_changes(epochs=10_000, max_steps=20_000, eval_every=0, checkpoint_every=100)
    run_id = begin(store, recipe)
    wait_for(store, run_id, lambda run: (run.step or 0) > 5)
    script = (
        f"import sqlite3, time; c = sqlite3.connect({str(tmp_path / 'experiments.db')!r});"
        f"c.execute('BEGIN EXCLUSIVE'); print('mine', flush=True); time.sleep({LOCKED_SECONDS})"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "mine\n"
        seen = store.run(run_id)  # readers do not wait
        launch.stop(store, run_id)  # a writer does, until the lock is gone
        assert holder.poll() is not None or holder.wait(5) == 0
    run = wait_for_end(store, run_id)
    assert run.status == Status.STOPPED, run.error
    assert (run.step or 0) > (seen.step or 0), "the training stood still while the database was locked"
    steps = [metric.step for metric in store.metrics(run_id, ["train/loss"])]
    assert steps == list(range(1, len(steps) + 1)) and steps[-1] == run.step


def test_what_is_no_database_is_left_as_it_is(tmp_path: Path, cli: Cli) -> None:  # noqa: F811
    draw = random.Random(0)
    strange = {
        "text.db": b"Dear diary, today I trained a model.\n" * 100,
        "short.db": b"SQLite",
        "noise.db": draw.randbytes(100_000),
        "header.db": b"SQLite format 3\x00" + draw.randbytes(5000),
        "zeros.db": bytes(8192),
    }
    for name, content in strange.items():
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(StoreError) as refused:
            Store.open(file)
        assert name in refused.value.message and "--db" in refused.value.hint
        assert file.read_bytes() == content
    for verb in (["runs"], ["show", "latest"], ["stop", "1"], ["resume", "1"], ["delete", "1", "-y"]):
        for name in strange if FULL else ["text.db"]:
            said = cli(*verb, "--db", str(tmp_path / name))
            assert said.code == 1 and said.err.startswith("Error: "), (name, said)
            assert (tmp_path / name).read_bytes() == strange[name]
    assert {path.name for path in tmp_path.iterdir()} == set(strange)


def test_a_database_that_was_cut_off_is_refused_and_left_as_it_is(tmp_path: Path, tiny: Recipe) -> None:
    whole = tmp_path / "whole.db"
    store = Store.open(whole)
    for number in range(50):
        store.create_run(tiny, f"run number {number}", ["tag"] * 50)
    store.close()
    content = whole.read_bytes()
    draw = random.Random(0)
    for size in [100, 512, 4096, 8192, *(draw.randrange(len(content)) for _ in range(thorough(50, 8)))]:
        file = tmp_path / f"{size}.db"
        file.write_bytes(content[:size])
        before = sha256(file)
        with pytest.raises(StoreError) as refused:
            opened = Store.open(file)
            try:
                opened.runs()
                problems = opened.integrity_problems()
                assert problems, f"cut at {size} of {len(content)}, nothing is found"
                raise StoreError("; ".join(problems))
            finally:
                opened.close()
        assert "Traceback" not in str(refused.value)
        assert sha256(file) == before, f"cut at {size}, it was written to"


def test_a_flipped_byte_is_found_by_doctor(tmp_path: Path, tiny: Recipe) -> None:
    file = tmp_path / "experiments.db"
    store = Store.open(file)
    for number in range(50):
        store.create_run(tiny, f"run number {number}")
    store.close()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_run_name'").fetchone()[
            0
        ]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(file.read_bytes())
    at = content.index(b"run number 7", (page - 1) * size)
    content[at] ^= 1
    file.write_bytes(content)
    found = checks._database(str(file))
    assert found.status == "failure" and "recover" in found.hint


@on_both
@pytest.mark.usefixtures("from_nursery")
def test_stop_twice_delete_while_it_runs_and_two_who_resume(store: Store, tiny: Recipe, cli: Cli) -> None:  # noqa: F811
    run_id = begin(
        store, tiny.with_changes(epochs=10_000, max_steps=20_000, eval_every=0, checkpoint_every=100)
    )
    wait_for(store, run_id, lambda run: (run.step or 0) > 0)
    refused = cli("delete", str(run_id), "--yes")
    assert refused.code == 2 and f"mlm-workbench stop {run_id}" in refused.err
    with pytest.raises(UsageError, match="Stop it first"):
        store.catalog.remove(run_id)
    assert Path(store.run(run_id).folder).is_dir()

    launch.stop(store, run_id)
    asked = store.run(run_id).stop_requested_at
    launch.stop(store, run_id)
    assert store.run(run_id).stop_requested_at == asked is not None
    run = wait_for_end(store, run_id)
    assert run.status == Status.STOPPED and int(str(run.checkpoint)[-8:]) == run.step

    outcomes: list[str] = []
    start = threading.Barrier(4)

    def resume() -> None:
        own = Store.open(store.url)
        start.wait()
        try:
            outcomes.append(launch.resume(own, run_id).status)
        except UsageError as error:
            outcomes.append(error.message)
        own.close()

    threads = [threading.Thread(target=resume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refusals = [outcome for outcome in outcomes if "already" in outcome]
    assert len(refusals) == 3, outcomes
    wait_for(store, run_id, lambda now: (now.step or 0) > (run.step or 0))
    launch.stop(store, run_id)
    ended = wait_for_end(store, run_id)
    assert ended.status == Status.STOPPED and ended.segment == 1
    steps = [metric.step for metric in store.metrics(run_id, ["train/loss"])]
    assert steps == list(range(1, len(steps) + 1))


@on_both
def test_two_workers_for_one_run(store: Store, tiny: Recipe, nursery: Nursery, tmp_path: Path) -> None:
    run = store.create_run(tiny)
    Path(run.folder).mkdir(parents=True)
    logs = [tmp_path / f"{number}.log" for number in range(3)]
    for log in logs:
        nursery.start("work", store.url, run.id, str(log))
    ended = wait_for_end(store, run.id)
    assert ended.status == Status.FINISHED and ended.segment == 0, ended.error
    wait_until(lambda: sum("not queued" in log.read_text() for log in logs) == 2, "two refusals")
    steps = [metric.step for metric in store.metrics(run.id, ["train/loss"])]
    assert steps == list(range(1, (ended.total_steps or 0) + 1))


@on_both
@pytest.mark.usefixtures("from_nursery")
def test_two_screens_and_three_commands_at_once(
    store: Store, tiny: Recipe, tmp_path: Path, terminals: Callable[[str], Terminal]
) -> None:
    runs = [
        begin(store, tiny.with_changes(epochs=10_000, max_steps=20_000, eval_every=0, checkpoint_every=100))
        for _ in range(2)
    ]
    command = f"env MLM_WORKBENCH_DB={shlex.quote(store.url)} {sys.executable} -m workbench"
    screens = [terminals(command) for _ in range(2)]
    for run_id in runs:
        wait_for(store, run_id, lambda run: (run.step or 0) > 0)
    deadline = time.monotonic() + thorough(full=60, short=3)
    failures: list[str] = []

    def ask(*words: str) -> None:
        while time.monotonic() < deadline:
            environment = {**os.environ, "MLM_WORKBENCH_DB": store.url}
            done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=environment)
            if done.returncode or done.stderr:
                failures.append(f"{words}: {done.returncode} {done.stderr}")

    asking = [
        threading.Thread(target=ask, args=words)
        for words in (("runs", "--json"), ("show", "1", "--json"), ("show", "latest"))
    ]
    for thread in asking:
        thread.start()
    for screen in screens:
        screen.wait_for("running")
        screen.press("Enter")
    for thread in asking:
        thread.join()
    assert failures == []
    for run_id in runs:
        launch.stop(store, run_id)
        ended = wait_for_end(store, run_id)
        assert ended.status == Status.STOPPED, ended.error
        steps = [metric.step for metric in store.metrics(run_id, ["train/loss"])]
        assert steps == list(range(1, len(steps) + 1)) and steps[-1] == ended.step
    for screen in screens:
        screen.wait_for("stopped")
        assert "Traceback" not in screen.screen()
    assert store.integrity_problems() == []
