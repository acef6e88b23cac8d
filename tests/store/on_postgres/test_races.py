"""Races, restarts and lost connections on a PostgreSQL server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from workbench.errors import StoreError
from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store
from workbench.store.backend import ConflictError

from ...postgres import Server

STARTER = PRESETS["starter"]


def run_at_once(*jobs: Callable[[], Any]) -> list[Any]:
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        start.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [done.result() for done in [pool.submit(run, job) for job in jobs]]


def test_six_processes_open_an_empty_database_at_once(postgres: Server) -> None:
    url = postgres.empty_database()
    code = (
        "import os; from workbench.store import Store; from workbench.recipe import PRESETS\n"
        "store = Store.open()\n"
        "for _ in range(5): store.create_run(PRESETS['starter'])"
    )
    command = [sys.executable, "-c", code]
    opening = [subprocess.Popen(command, env={**os.environ, "MLM_WORKBENCH_DB": url}) for _ in range(6)]
    assert [process.wait(timeout=180) for process in opening] == [0] * 6
    store = Store.open(url)
    assert len({run.name for run in store.runs()}) == 30
    store.close()


def test_of_six_schedulers_one_gets_the_lease(url: str) -> None:
    stores = [Store.open(url) for _ in range(6)]
    process = {"host": "h", "boot_id": "b"}
    taken = run_at_once(
        *(
            lambda number=number, one=one: one.lease.take(None, pid=number, started_at=1.0, **process)
            for number, one in enumerate(stores, 1)
        )
    )
    assert sorted(taken) == [False] * 5 + [True]
    holder = stores[0].lease.holder()
    assert holder is not None and holder.pid == taken.index(True) + 1
    for one in stores:
        one.close()


def test_a_deadlock_is_tried_again(store: Store) -> None:
    for _ in range(2):
        store.create_run(STARTER)
    both = threading.Barrier(2)

    def in_order(first: int, second: int) -> None:
        with store.database.session() as session:
            session.connection().execute(text(f"UPDATE run SET note = 'a' WHERE id = {first}"))
            both.wait()
            session.connection().execute(text(f"UPDATE run SET note = 'b' WHERE id = {second}"))
            session.commit()

    def attempt(first: int, second: int) -> bool:
        try:
            in_order(first, second)
        except ConflictError:
            return False
        return True

    assert sorted(run_at_once(lambda: attempt(1, 2), lambda: attempt(2, 1))) == [False, True]

    failures = [2]

    def deadlocked(*_: Any) -> None:
        if failures[0]:
            failures[0] -= 1
            with store.database.session() as session:  # the server's own error
                session.connection().execute(text("DO $$ BEGIN RAISE '' USING ERRCODE = '40P01'; END $$"))

    original = store.database.take_turns
    store.database.take_turns = lambda session: (deadlocked(), original(session))[1]  # type: ignore[method-assign]
    assert store.create_run(STARTER).name and failures == [0]
    assert len(store.runs()) == 3


# Restarts


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_restart_is_not_noticed_afterwards(
    restarted: Server, how: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLM_WORKBENCH_RUNS", str(tmp_path))
    store = Store.open(restarted.new_store())
    run = store.create_run(STARTER)
    version = store.data_version()
    restarted.stop(how)
    for ask in (store.data_version, store.runs, lambda: store.update_run(run.id, note="x")):
        with pytest.raises(StoreError, match=r"No server answers|stopping|lost"):
            ask()
    restarted.start()
    assert store.data_version() == version
    store.update_run(run.id, note="y")
    assert store.data_version() != version and store.run(run.id).note == "y"
    store.close()


@pytest.mark.parametrize("committed", [True, False])
def test_a_connection_lost_while_committing_neither_doubles_nor_loses(
    store: Store, postgres: Server, committed: bool
) -> None:
    """The server is asked what became of the transaction."""
    run = store.create_run(STARTER)
    engine = store.database.engine
    cut = [True]
    usual = engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        if not cut[0]:
            usual(connection)
            return
        cut[0] = False
        if committed:
            connection.commit()
        pid = connection.driver_connection.info.backend_pid
        postgres.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
        connection.driver_connection.execute("SELECT 1")  # fails as a commit would whose answer never came

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    values = [MetricValue("train/loss", step, 0.1, 1.0) for step in (1, 2)]
    if committed:
        store.add_metrics(run.id, 0, values)
    else:
        with pytest.raises(StoreError):
            store.add_metrics(run.id, 0, values)
        store.add_metrics(run.id, 0, values)
    assert [metric.step for metric in store.metrics(run.id)] == [1, 2]
