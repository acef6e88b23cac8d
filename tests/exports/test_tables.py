"""Rows as files, read back by other programs' means."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from workbench.errors import UsageError, WorkbenchError
from workbench.exports.tables import flat, write_table

ROWS = [
    {"id": 1, "name": 'a "b", c\nd', "loss": 0.1, "size": 5, "error": None, "empty": None},
    {"id": 2, "name": "日本", "loss": math.inf, "size": 0.2, "error": "x", "empty": None},
]


def test_csv(tmp_path: Path) -> None:
    write_table(ROWS, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert (first["name"], float(first["loss"]), first["error"]) == (ROWS[0]["name"], 0.1, "")
    assert float(second["loss"]) == math.inf


def test_json_says_null_for_what_it_cannot_say(tmp_path: Path) -> None:
    write_table(ROWS, tmp_path / "r.JSON")
    assert json.loads((tmp_path / "r.JSON").read_text()) == [ROWS[0], {**ROWS[1], "loss": None}]


def test_parquet_has_types(tmp_path: Path) -> None:
    write_table(ROWS, tmp_path / "r.parquet")
    read = parquet.read_table(tmp_path / "r.parquet")
    assert [str(field.type) for field in read.schema] == [
        "int64",
        "string",
        "double",
        "double",
        "string",
        "string",
    ]
    assert read.to_pylist() == ROWS


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_no_rows_is_a_file_too(tmp_path: Path, ending: str) -> None:
    write_table([], tmp_path / f"r.{ending}")
    assert (tmp_path / f"r.{ending}").exists()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"r\.xls"):
        write_table(ROWS, tmp_path / "r.xls")


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "r.csv").mkdir()
    with pytest.raises(WorkbenchError, match="cannot be written"):
        write_table(ROWS, tmp_path / "r.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]


def test_nested_values_get_keys_of_their_own() -> None:
    row = {"id": 1, "recipe": {"epochs": 3, "inner": {"a": None}}, "tags": ["x", "y"]}
    assert flat(row) == {"id": 1, "recipe.epochs": 3, "recipe.inner.a": None, "tags": "x, y"}
