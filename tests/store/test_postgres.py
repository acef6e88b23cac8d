"""What is PostgreSQL's alone: its address, its errors, restarts, races and rights."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from workbench.errors import StoreError, UsageError
from workbench.processes import process_exists
from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store
from workbench.store.backend import ConflictError
from workbench.store.names import run_names
from workbench.worker import launch
from workbench.worker.detached import start_detached

from ..postgres import Server

STARTER = PRESETS["starter"]


@pytest.fixture
def url(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLM_WORKBENCH_RUNS", str(tmp_path / "runs"))
    return postgres.new_store()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_every_whole_number_has_64_bits_and_every_text_the_order_of_bytes(store: Store) -> None:
    query = text(
        "SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name NOT IN ('alembic_version', 'change_count')"
    )
    with store.database.engine.connect() as connection:
        columns = connection.execute(query).all()
    assert len(columns) > 80
    assert [one for one in columns if one.data_type in ("integer", "smallint")] == []
    strings = [one for one in columns if "char" in one.data_type or one.data_type == "text"]
    assert {one.collation_name for one in strings} == {"C"}


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_the_ways_to_write_a_url_open_the_same_store(store: Store, url: str, scheme: str) -> None:
    store.create_run(STARTER, "seen")
    other = Store.open(url.replace("postgresql", scheme, 1))
    assert other.find("seen").name == "seen" and other.location == store.location
    other.close()


def test_a_look_is_one_query(store: Store) -> None:
    asked: list[str] = []
    store.data_version()
    event.listen(store.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    first = [store.data_version() for _ in range(5)]
    assert len(asked) == 5 and len(set(first)) == 1
    store.create_run(STARTER)
    assert store.data_version() != first[0]


def test_completion_knows_the_names(store: Store, url: str) -> None:
    store.create_run(STARTER, "first")
    store.create_run(STARTER, "second")
    assert run_names(url) == [(2, "second"), (1, "first")]


# Errors


def said_of(url: str) -> str:
    """What a person reads who opens that store."""
    with pytest.raises(StoreError) as refused:
        Store.open(url)
    words = f"{refused.value.message} {refused.value.hint}"
    for raw in ("psycopg.", "FATAL", "Traceback", "sqlalche", "(Background", "SELECT"):
        assert raw not in words
    return words


def test_no_server_no_database_a_wrong_password_and_a_user_nobody_knows(postgres: Server) -> None:
    name = name_of(postgres.new_store())
    right = postgres.url(name)
    secret = postgres.password
    for wrong, expected in {
        right.replace(f":{postgres.port}/", ":1/"): "No server answers at",
        postgres.url("no_such_thing"): "There is no database",
        postgres.url(name, password="wr0ng-one"): "refused the password of the user tester",
        postgres.url(name, user="stranger"): "refused the password of the user stranger",
        right.replace("127.0.0.1", "no-such-host.invalid"): "The host of",
        f"{right}?sslmode=require": "No encrypted connection",
        f"{right}?nonsense=1": "unknown option",
    }.items():
        words = said_of(wrong)
        assert expected in words
        assert secret not in words and "wr0ng-one" not in words


def test_a_url_that_is_none_shows_no_password() -> None:
    for wrong in ("postgresql://me:s3cret-1@host:port/x", "mysql://me:s3cret-1@host/x"):
        assert "s3cret" not in said_of(wrong)


def test_secrets_in_a_url_are_not_in_its_location(url: str) -> None:
    store = Store.open(f"{url}?application_name=topsecret")
    assert store.location == f"postgresql://tester@{url.rpartition('@')[2]}"
    store.close()


def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'mlm-workbench[postgres]'" in said_of(url)


def test_an_encoding_that_lacks_letters_is_refused(postgres: Server) -> None:
    url = postgres.empty_database()
    name = f"{name_of(url)}_latin"
    postgres.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "LATIN1" in said_of(postgres.url(name))


def test_what_a_newer_version_or_another_program_made_is_left_alone(postgres: Server, url: str) -> None:
    postgres.execute("UPDATE alembic_version SET version_num = '9999'", database=name_of(url))
    assert "newer version" in said_of(url)
    other = postgres.empty_database()
    postgres.execute("CREATE TABLE run (distance float)", database=name_of(other))
    assert "another program" in said_of(other)
    tables = postgres.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=name_of(other)
    )
    assert tables == [("run",)], "a migration that fails changes nothing"


def test_a_user_without_rights(postgres: Server) -> None:
    url = postgres.new_store()
    name = name_of(url)
    postgres.execute(
        f"CREATE ROLE reader_{name} LOGIN PASSWORD 'weak-one'",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_{name}",
        database=name,
    )
    owner = Store.open(url)
    owner.create_run(STARTER, "seen")
    reader = Store.open(postgres.url(name, f"reader_{name}", "weak-one"))
    assert [run.name for run in reader.runs()] == ["seen"]
    version = reader.data_version()
    owner.catalog.star([1], True)
    assert reader.data_version() != version
    with pytest.raises(StoreError, match="lacks a right"):
        reader.create_run(STARTER)
    reader.close()
    empty = postgres.url(name_of(postgres.empty_database()), f"reader_{name}", "weak-one")
    assert "lacks a right" in said_of(empty)
    owner.close()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("default_transaction_read_only = on", "is read-only"),
        ("statement_timeout = '1s'", "took too long"),
    ],
)
def test_what_a_server_is_set_to(postgres: Server, url: str, setting: str, expected: str) -> None:
    postgres.execute(f"ALTER DATABASE {name_of(url)} SET {setting}")
    with pytest.raises(StoreError, match=expected):
        store = Store.open(url)
        store.database.write(text("DO $$ BEGIN UPDATE run SET note = ''; PERFORM pg_sleep(60); END $$"))


def test_too_many_connections(postgres: Server) -> None:
    url = postgres.new_store()
    name = name_of(url)
    postgres.execute(
        f"CREATE ROLE crowd_{name} LOGIN PASSWORD 'weak-one' CONNECTION LIMIT 1",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO crowd_{name}",
        database=name,
    )
    crowded = postgres.url(name, f"crowd_{name}", "weak-one")
    first = Store.open(crowded)
    with first.database.engine.connect():
        assert "accepts no more connections" in said_of(crowded)
    first.close()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("53100", "disk of the server"),
        ("40P01", "waited for each other"),
        ("XX001", "damaged data"),
        ("P0001", "SQLSTATE P0001"),
    ],
)
def test_what_a_server_may_raise(store: Store, state: str, expected: str) -> None:
    raising = text(f"DO $$ BEGIN RAISE 'from within' USING ERRCODE = '{state}'; END $$")
    with pytest.raises(StoreError, match=expected) as refused:
        store.database.write(raising)
    assert "from within" not in str(refused.value)


def test_no_process_that_is_started_shows_the_password(
    store: Store, postgres: Server, tmp_path: Path
) -> None:
    log = tmp_path / "scheduler.log"
    started = start_detached(store, "workbench.sweeps.scheduler", ["--nonsense"], log=log)
    with contextlib.suppress(FileNotFoundError):  # it may have ended
        assert postgres.password not in Path(f"/proc/{started.worker_pid}/cmdline").read_text()
    while process_exists(started.worker_pid):
        time.sleep(0.05)
    assert "unrecognized" in log.read_text() and postgres.password not in log.read_text()


# Races


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


# Folders


def test_the_folder_of_runs_does_not_follow_the_current_one(
    postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_store()
    monkeypatch.delenv("MLM_WORKBENCH_RUNS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def folder_at(place: Path) -> Path:
        place.mkdir(exist_ok=True)
        monkeypatch.chdir(place)
        store = Store.open(url)
        found = store.runs_folder
        store.close()
        return found

    own = folder_at(tmp_path / "a")
    assert own == folder_at(tmp_path / "b") and own.is_relative_to(tmp_path / "data")
    monkeypatch.setenv("MLM_WORKBENCH_RUNS", str(tmp_path / "shared"))
    assert folder_at(tmp_path / "a") == tmp_path / "shared"
    monkeypatch.delenv("MLM_WORKBENCH_RUNS")
    assert folder_at(tmp_path / "b") == tmp_path / "shared", "the first that is named is kept in the store"
    monkeypatch.setenv("MLM_WORKBENCH_RUNS", str(tmp_path / "mine"))
    assert folder_at(tmp_path / "b") == tmp_path / "mine"
    monkeypatch.delenv("MLM_WORKBENCH_RUNS")
    assert folder_at(tmp_path / "b") == tmp_path / "shared"

    store = Store.open(url)
    store.database.folders.keep(tmp_path / "other")
    store.close()
    assert folder_at(tmp_path / "a") == tmp_path / "other"
    file = Store.open(tmp_path / "file.db")
    with pytest.raises(UsageError, match="beside it"):
        file.database.folders.keep(tmp_path)
    file.close()


def test_a_restored_dump_does_not_touch_the_originals_files(
    store: Store, url: str, postgres: Server, tmp_path: Path
) -> None:
    run = store.create_run(STARTER)
    Path(run.folder).mkdir(parents=True)
    store.claim_files(run)
    store.update_run(run.id, status="stopped")
    store.close()
    copy = name_of(postgres.empty_database()) + "_copy"
    postgres.execute(f"CREATE DATABASE {copy} TEMPLATE {name_of(url)}")
    restored = Store.open(postgres.url(copy))
    with pytest.raises(StoreError, match="is its copy"):
        launch.resume(restored, run.id)
    restored.catalog.remove(run.id)
    assert Path(run.folder).is_dir()
    restored.close()
    again = Store.open(url)
    again.catalog.remove(run.id)
    assert not Path(run.folder).exists()
    again.close()


def test_a_run_that_is_deleted_takes_its_folder_and_no_other(store: Store, tmp_path: Path) -> None:
    ours, precious = store.create_run(STARTER), store.create_run(STARTER)
    Path(ours.folder).mkdir(parents=True)
    elsewhere = tmp_path / f"{precious.id}-precious"
    elsewhere.mkdir()
    store.update_run(precious.id, folder=str(elsewhere))
    for run in (ours, precious):
        store.update_run(run.id, status="finished")
        store.catalog.remove(run.id)
    assert not Path(ours.folder).exists() and elsewhere.is_dir()
