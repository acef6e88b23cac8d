"""`runs --export` and `show --export`."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as parquet

from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store

from .conftest import Cli


def test_runs_and_metrics_become_files(cli: Cli, store: Store, tmp_path: Path) -> None:
    run = store.create_run(PRESETS["starter"], "a name", ["x"])
    store.add_metrics(run.id, 0, [MetricValue("eval/perplexity", 0, 0.0, 9.5)])
    done = cli("runs", "--export", "runs.csv")
    assert (done.code, done.out) == (0, "")
    with (tmp_path / "runs.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["name"], row["recipe.epochs"], row["tags"]) == ("a name", "3", "x")
    assert cli("show", "latest", "--export", "metrics.parquet").code == 0
    (value,) = parquet.read_table(tmp_path / "metrics.parquet").to_pylist()
    assert (value["run"], value["name"], value["step"], value["value"]) == (
        "a name",
        "eval/perplexity",
        0,
        9.5,
    )


def test_an_ending_that_is_not_known_is_bad_usage(cli: Cli, store: Store) -> None:
    store.create_run(PRESETS["starter"])
    done = cli("runs", "--export", "runs.xlsx")
    assert done.code == 2 and ".parquet" in done.err
