"""What a PostgreSQL server refuses, in words of the workbench."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from workbench.errors import StoreError
from workbench.processes import process_exists
from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.worker.detached import start_detached

from ...postgres import Server
from .conftest import name_of

STARTER = PRESETS["starter"]


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
