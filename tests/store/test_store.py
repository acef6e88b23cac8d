"""The store on a real SQLite file, and on a real PostgreSQL."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import SQLModel

from workbench.errors import StoreError, UsageError
from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store
from workbench.store.engine import SCHEMA_VERSION
from workbench.store.migrate import MIGRATIONS

STARTER = PRESETS["starter"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "experiments.db"


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    opened = Store.open(location)
    yield opened
    opened.close()


@pytest.fixture
def file_store(file: Path) -> Store:
    return Store.open(file)


def values(*steps: int, name: str = "train/loss") -> list[MetricValue]:
    return [MetricValue(name, step, step / 10, float(step)) for step in steps]


def test_the_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    with store.database.engine.connect() as connection:
        opts = {"compare_type": True, "include_name": lambda name, *_: name != "change_count"}  # raw SQL's
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_version_that_is_checked_at_start_is_the_newest_revision() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == SCHEMA_VERSION


def test_a_new_store_is_in_wal_mode_private_and_checks_foreign_keys(file_store: Store, file: Path) -> None:
    with file_store.database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 60_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file_store.integrity_problems() == []


def test_a_recipe_comes_back_as_it_was(store: Store, location: str) -> None:
    run = store.create_run(STARTER, tags=["a", "b"])
    again = Store.open(location).run(run.id)
    assert type(STARTER).parse(again.recipe) == STARTER
    assert (again.tags, again.status, again.step) == (["a", "b"], "queued", None)


def test_runs_without_a_name_get_names_of_their_own(store: Store) -> None:
    names = [store.create_run(STARTER).name for _ in range(3)]
    assert names == ["python-docs-128", "python-docs-128-2", "python-docs-128-3"]


@pytest.mark.parametrize("name", ["", "  ", "latest", "17", "run:3", "a\x1b[31m", "x" * 201])
def test_names_that_could_not_be_told_apart_are_refused(store: Store, name: str) -> None:
    with pytest.raises(UsageError):
        store.create_run(STARTER, name=name)
    assert store.runs() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "наука", "a/b\\c", "[red]x[/]", "-rf"])
def test_a_folder_stays_in_the_runs_folder_whatever_the_name(store: Store, name: str) -> None:
    run = store.create_run(STARTER, name=name)
    assert run.name == name
    assert Path(run.folder).parent == store.runs_folder
    assert Path(run.folder).name.startswith("1-")


def test_a_run_is_found_by_id_name_and_latest(store: Store) -> None:
    store.create_run(STARTER, name="first")
    second = store.create_run(STARTER, name="second")
    for reference in ("2", "second", "latest", "run:second"):
        assert store.find(reference).id == second.id
    with pytest.raises(UsageError, match=r"no run 'third'.*2 second"):
        store.find("third")
    store.create_run(STARTER, name="first")
    with pytest.raises(UsageError, match="2 runs are called 'first': 3, 1"):
        store.find("first")


def test_an_empty_store_says_so(store: Store) -> None:
    with pytest.raises(UsageError, match="no runs yet"):
        store.find("latest")


def test_metrics_are_read_from_a_cursor(store: Store) -> None:
    run = store.create_run(STARTER)
    store.add_metrics(run.id, 0, values(1, 2))
    first = store.metrics(run.id)
    store.add_metrics(run.id, 0, [*values(3), *values(3, name="eval/loss")])
    rest = store.metrics(run.id, after=first[-1].id)
    assert [(m.name, m.step) for m in rest] == [("train/loss", 3), ("eval/loss", 3)]
    assert [m.step for m in store.metrics(run.id, names=["eval/loss"])] == [3]


def test_steps_gone_through_again_are_neither_lost_nor_doubled(store: Store) -> None:
    run = store.create_run(STARTER)
    store.add_metrics(run.id, 0, values(1, 2, 3, 4))
    for step in (2, 4):
        store.add_checkpoint(run.id, step=step, epoch=0.0, path=f"p{step}", eval_perplexity=None, best=True)
    store.supersede_after(run.id, 2)
    store.add_metrics(run.id, 1, values(3, 4, 5))
    assert [metric.step for metric in store.metrics(run.id)] == [1, 2, 3, 4, 5]
    assert [saved.step for saved in store.checkpoints(run.id)] == [2]
    with store.database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM metric")).scalar() == 7


def test_one_checkpoint_is_the_best_and_one_is_at_a_step(store: Store) -> None:
    run = store.create_run(STARTER)
    for step, best in ((1, True), (2, True), (3, False), (3, False)):
        store.add_checkpoint(run.id, step=step, epoch=0.0, path=f"p{step}", eval_perplexity=9.0, best=best)
    assert [(c.step, c.best) for c in store.checkpoints(run.id)] == [(1, False), (2, True), (3, False)]
    assert store.run(run.id).checkpoint == "p3"


def test_deleting_takes_a_runs_rows_and_folder_and_nothing_else(store: Store) -> None:
    run, other = store.create_run(STARTER), store.create_run(STARTER)
    store.add_metrics(run.id, 0, values(1))
    store.add_metrics(other.id, 0, values(1))
    store.add_fill(model="m", run_id=run.id, text="a [MASK]", result={})
    for one in (run, other):
        (Path(one.folder) / "checkpoints").mkdir(parents=True)
    with pytest.raises(UsageError, match="Stop it first"):
        store.catalog.remove(run.id)
    store.update_run(run.id, status="finished")
    store.catalog.remove(run.id)
    assert [left.id for left in store.runs()] == [other.id]
    assert store.metrics(run.id) == [] and len(store.metrics(other.id)) == 1
    assert not Path(run.folder).exists() and Path(other.folder).exists()
    assert [fill.run_id for fill in store.fills()] == [None]


def test_a_folder_from_elsewhere_is_never_removed(store: Store, tmp_path: Path) -> None:
    run = store.create_run(STARTER)
    precious = tmp_path / "precious"
    precious.mkdir()
    store.update_run(run.id, status="finished", folder=str(precious))
    store.catalog.remove(run.id)
    assert precious.is_dir()


def test_of_two_who_change_a_status_one_wins(store: Store, location: str) -> None:
    run = store.create_run(STARTER)
    other = Store.open(location)
    won = [s.change_status(run.id, ["queued"], status="running") for s in (store, other)]
    assert won == [True, False]


def test_a_stop_is_seen_by_another_process(store: Store, location: str) -> None:
    run = store.create_run(STARTER)
    assert not store.run(run.id).stop_requested_at
    Store.open(location).request_stop(run.id)
    assert store.run(run.id).stop_requested_at


def test_another_processes_commit_changes_the_data_version(store: Store, location: str) -> None:
    before = store.data_version()
    assert store.data_version() == before
    code = f"from workbench.store import Store; Store.open({location!r}).fills()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert store.data_version() == before
    Store.open(location).create_run(STARTER)
    assert store.data_version() != before


def test_many_processes_open_a_new_store_and_write_at_once(location: str) -> None:
    code = (
        "import sys; from workbench.store import Store; from workbench.recipe import PRESETS\n"
        f"store = Store.open({location!r})\n"
        "for _ in range(10): store.create_run(PRESETS['starter'])"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0, 0]
    runs = Store.open(location).runs()
    assert len(runs) == 40 == len({run.name for run in runs})


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(file_store: Store, file: Path) -> None:
    with file_store.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    file_store.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"newer version.*left as it is.*Upgrade"):
        Store.open(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"these are my notes\n" * 50, b"\x00" * 4096, b"x"])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(StoreError, match="not a SQLite database"):
        Store.open(file)
    assert file.read_bytes() == content


def test_a_damaged_database_is_refused_with_what_to_do(file_store: Store, file: Path) -> None:
    file_store.create_run(STARTER)
    file_store.close()
    content = bytearray(file.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)  # the schema's page
    file.write_bytes(content)
    with pytest.raises(StoreError, match="Cannot use the database"):
        Store.open(file)


def test_somebody_elses_database_is_not_turned_into_ours(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE run (distance REAL)")
    with pytest.raises(StoreError):
        Store.open(file)
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("run",)]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Choose another place"):
        Store.open(tmp_path / "file" / "experiments.db")


@pytest.mark.parametrize("url", ["nonsense://x", "sqlite://"])
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(StoreError):
        Store.open(url)


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLM_WORKBENCH_DB", str(tmp_path / "mine.db"))
    store = Store.open()
    assert (tmp_path / "mine.db").exists()
    assert store.runs_folder == tmp_path / "runs"
