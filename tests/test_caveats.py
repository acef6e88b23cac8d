"""What is said beside a run's figures, and where it shows."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.caveats import base_name, diverged, untrained_base, warnings_of
from workbench.cli.app import app
from workbench.display.run import doing
from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.store.run_lines import RunLines
from workbench.stored_recipe import StoredRecipe


@pytest.mark.parametrize(
    ("status", "now", "before", "wanted"),
    [
        ("finished", 40.0, 900.0, ""),
        ("finished", 900.0, 900.0, ""),
        ("finished", 901.0, 900.0, "made the model worse: its test perplexity is 901, and was 900 before"),
        ("stopped", 901.0, 900.0, "made the model worse"),
        ("finished", math.inf, 900.0, "perplexity is infinite"),
        ("finished", math.inf, None, "perplexity is infinite"),
        ("running", 901.0, 900.0, ""),
        ("failed", math.inf, 900.0, ""),
        ("finished", None, 900.0, ""),
        ("finished", 40.0, None, ""),
    ],
)
def test_a_run_that_ends_worse_than_it_began_says_so_everywhere(
    tmp_path: Path, status: str, now: float | None, before: float | None, wanted: str
) -> None:
    file = tmp_path / "experiments.db"
    store = Store.open(file)
    run_id = store.create_run(PRESETS["starter"], "mine").id
    assert run_id is not None
    figures = {"eval_perplexity": now, "baseline_perplexity": before}
    store.update_run(run_id, status=status, created_at=2e9, heartbeat_at=2e9, host="another", **figures)
    run, (line,) = store.run(run_id), RunLines(store.database).refresh()
    assert diverged(run) == diverged(line) == bool(wanted)
    assert ("diverged" in doing(run)[1]) == ("diverged" in doing(line)[1]) == bool(wanted)
    assert [wanted in warning for warning in warnings_of(run)] == ([True] if wanted else [])
    store.close()
    if status == "running":
        return
    shown = CliRunner().invoke(app, ["show", "mine", "--db", str(file)])
    listed = CliRunner().invoke(app, ["runs", "--db", str(file)])
    as_json = CliRunner().invoke(app, ["show", "mine", "--json", "--db", str(file)])
    assert (wanted in shown.output) and ("Warning: " in shown.output) == bool(wanted)
    assert ("finished, diverged" in listed.output or "stopped, diverged" in listed.output) == bool(wanted)
    assert len(json.loads(as_json.output)["warnings"]) == bool(wanted)


def test_what_began_at_random_is_no_trained_base() -> None:
    assert untrained_base(StoredRecipe({"model": "new:tiny"}), {}) == "it started from random weights"
    assert untrained_base(StoredRecipe({"model": "bert"}), {"drawn": ["cls.bias"]}) == "its head was new"
    assert (
        untrained_base(StoredRecipe({"model": "bert"}), {"drawn": []})
        == untrained_base(StoredRecipe({"model": "bert"}), {})
        == ""
    )


def test_a_drawn_head_is_another_base_for_each_seed() -> None:
    names = {
        base_name(StoredRecipe({"model": "bert", "seed": seed}), {"drawn": ["cls.bias"]}) for seed in (1, 2)
    }
    assert len(names | {base_name(StoredRecipe({"model": "bert", "seed": 1}), {})}) == 3


@pytest.mark.parametrize(
    ("model", "engine", "unknown"),
    [
        ("bert-base", {"head": "full"}, True),
        ("bert-base", {"head": "full", "drawn": []}, False),
        ("bert-base", {}, False),
        ("starter", {"head": "full"}, False),
        ("run:3", {"head": "full"}, False),
        ("new:tiny", {"head": "full"}, False),
        (None, {"head": "full"}, False),
    ],
)
def test_runs_recorded_before_heads_were_say_that_it_is_not_known(
    tmp_path: Path, model: str | None, engine: dict[str, object], unknown: bool
) -> None:
    store = Store.open(tmp_path / "experiments.db")
    run_id = store.create_run(PRESETS["starter"], "mine").id
    assert run_id is not None
    store.update_run(run_id, engine=engine, recipe=StoredRecipe({"model": model} if model else {}))
    run = store.run(run_id)
    warnings = warnings_of(run)
    store.close()
    assert ["was not recorded whether" in warning for warning in warnings] == [True] * unknown
