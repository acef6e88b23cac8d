"""One bad row of a SQLite file is one bad row: it is shown as damaged, can be deleted, and harms no other."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.store.run_lines import RunLines

from ..cli.conftest import Cli, cli  # noqa: F401

BROKEN = {
    "recipe": ["{'not': json", "", "[1, 2]", "null", "3", "{" * 100_000],
    "tags": ['["a"', "{}", "null"],
    "environment": ["{", "[]", '"text"'],
    "data": ["nul"],
    "engine": ["{]"],
    "placement": ["-"],
    "name": [b"caf\xe9 \xff"],
    "note": [b"\xf0\x28\x8c\x28"],
}


ROWS = [(name, one) for name, many in BROKEN.items() for one in many]


@pytest.mark.parametrize(("column", "value"), ROWS, ids=[f"{name}{n}" for n, (name, _) in enumerate(ROWS)])
def test_what_is_broken_in_a_row(tmp_path: Path, column: str, value: str | bytes) -> None:
    file = tmp_path / "experiments.db"
    store = Store.open(file)
    for name in ("first", "broken", "third"):
        store.create_run(PRESETS["starter"], name, ["tag"])
        store.update_run(store.find(name).id, status="finished")
    store.close()
    with closing(sqlite3.connect(file)) as connection:
        text = "CAST(? AS TEXT)" if isinstance(value, bytes) else "?"
        connection.execute(f"UPDATE run SET {column} = {text} WHERE id = 2", (value,))
        connection.commit()
    store = Store.open(file)
    third, broken, first = store.runs()
    lines = {line.id: line for line in RunLines(store.database).refresh()}
    assert (first.tags, third.recipe.model, lines[1].error) == (["tag"], "starter", None)
    if isinstance(value, bytes):
        assert "\ufffd" in getattr(broken, column)
    else:
        assert broken.error == f"This run's row in the database is damaged: {column}."
        assert "restore" in (broken.error_hint or "")
        assert (lines[2].error is not None) == (column in ("recipe", "tags"))
    store.past.measured()
    store.past.models()
    store.models.saved()
    store.catalog.delete([2])
    assert [run.id for run in store.runs()] == [3, 1]
    assert store.catalog.purge() == 1
    store.close()


def test_the_command_line_shows_it_and_deletes_it(tmp_path: Path, cli: Cli) -> None:  # noqa: F811
    store = Store.open(tmp_path / "experiments.db")
    for name in ("first", "broken"):
        store.update_run(store.create_run(PRESETS["starter"], name).id, status="finished")
    store.close()
    with closing(sqlite3.connect(tmp_path / "experiments.db")) as connection:
        connection.execute("UPDATE run SET recipe = '{', tags = 'x', environment = '' WHERE id = 2")
        connection.commit()
    listed = cli("runs")
    assert listed.code == 0 and "first" in listed.out and "broken" in listed.out
    shown = cli("show", "2")
    assert "damaged: recipe, tags, environment" in shown.out + shown.err
    assert cli("runs", "--json").json[0]["id"] == 2
    assert cli("delete", "2", "--yes").code == 0
    assert [run["id"] for run in cli("runs", "--json").json] == [1]
