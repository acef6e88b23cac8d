"""What is PostgreSQL's alone: its address, its types, and where runs lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event, text

from workbench.errors import StoreError, UsageError
from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.store.names import run_names
from workbench.worker import launch

from ...postgres import Server
from .conftest import name_of

STARTER = PRESETS["starter"]


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
