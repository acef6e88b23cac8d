"""What a training measures: one place for names, one answer for a loss that is too large."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path

import pytest

from workbench.analysis.heat_map import HeatMap
from workbench.analysis.sweep_table import Entry
from workbench.analysis.wording import verdict
from workbench.cli.output import print_json
from workbench.display import numbers
from workbench.display.measurements import Measurements, Past
from workbench.display.sweep import percent
from workbench.inference.results import Surprisal
from workbench.metrics import PANELS, MetricName, as_json, change, perplexity
from workbench.recipe import Recipe
from workbench.store import MetricValue, Store, Yardstick
from workbench.tui.compare.reader import Contest
from workbench.tui.live.text import panels_of
from workbench.worker.channel import Channel
from workbench.worker.resuming import _add_if_missing

PACKAGE = Path(__file__).parent.parent / "workbench"
DIVERGED = 800.0
"""A loss whose perplexity no float can hold."""


def test_perplexity_is_infinite_only_where_a_float_cannot_hold_it() -> None:
    assert perplexity(0.0) == 1.0 and perplexity(2.2) == pytest.approx(9.025, abs=1e-3)
    assert math.isfinite(perplexity(709.0)) and perplexity(710.0) == perplexity(math.inf) == math.inf
    assert math.isnan(perplexity(math.nan))


def test_a_diverged_model_is_infinite_everywhere(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "experiments.db")
    run = store.create_run(Recipe(), "diverged", [])
    assert run.id is not None
    lost = [MetricValue(MetricName.TRAIN_LOSS, step, 0.1, DIVERGED) for step in (1, 2)]
    store.add_metrics(run.id, 0, [*lost, MetricValue(MetricName.TRAIN_LOSS, 3, 0.1, 2.0)])
    checkpoint = Path(run.folder) / "step-3"
    (checkpoint / "state").mkdir(parents=True)
    state = {"last_eval_loss": DIVERGED, "evaluated_step": 3, "evaluations_without_gain": 1}
    (checkpoint / "state" / "progress.json").write_text(json.dumps(state))
    channel = Channel(store, run)
    _add_if_missing(store, run, checkpoint, 3, channel)
    channel.save()

    (saved,) = store.checkpoints(run.id)
    (compared,) = Contest(store, [run.id]).read()
    live = Measurements()
    live.begin(Past.read(store, run.id), 0)
    score = Yardstick(loss_sum=3 * DIVERGED, masked_tokens=3)
    surprisal = Surprisal("", (), 2, -2 * DIVERGED)
    assert saved.eval_perplexity == score.perplexity == surprisal.pseudo_perplexity == math.inf
    assert [value for _, value in compared.curves["train"]][:2] == [math.inf, math.inf]
    assert [value for _, value in live.train_curve()][:2] == [math.inf, math.inf]
    # what follows a diverged step is still drawn, smoothed or not
    (train, *_) = live.series(baseline=None, smoothing=0.9)
    assert train.points == ((3, pytest.approx(math.exp(2.0))),)


def test_json_has_null_for_what_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    shown = {"rows": [{"perplexity": perplexity(DIVERGED), "loss": DIVERGED}], "nan": math.nan, "no": False}
    print_json(shown)
    expected = {"rows": [{"perplexity": None, "loss": DIVERGED}], "nan": None, "no": False}
    assert json.loads(capsys.readouterr().out) == as_json(shown) == expected
    assert Surprisal("", (), 2, -2 * DIVERGED).to_json()["pseudo_perplexity"] is None


def test_a_diverged_recipe_does_not_hide_the_others_on_the_map() -> None:
    entries = [
        Entry(values={}, runs=[], seeds=[], statuses={}, n=1, perplexity=value, spread=None)
        for value in (10.0, 20.0, math.inf)
    ]
    picture = HeatMap("", "a", [""], ["1", "2", "3"], [list(entries)], False)
    assert picture.bounds == (10.0, 20.0)
    assert [picture.depth(value) for value in (10.0, 20.0, math.inf)] == [0.0, 1.0, 1.0]


def test_a_ratio_too_large_for_a_float_is_written() -> None:
    assert change(math.log(1.03)) == pytest.approx(0.03) and change(900.0) == math.inf
    assert percent(900.0) == "+∞ %" and percent(0.01) == "+1.0 %"
    assert verdict(900.0, 800.0, 1000.0) == "worse by ∞ % (∞ to ∞)"


def test_what_a_panel_shows_follows_from_the_metric() -> None:
    measured = Measurements()
    measured.begin(Past(0, {name: [(1.0, 61.25)] for name in MetricName}, {}), None)
    panels = panels_of(measured)
    assert [panel.name for panel in panels] == [name.label for name in PANELS]
    shown = {panel.name: (panel.value, panel.high) for panel in panels}
    assert shown["GPU temp"] == ("61 °C", None) and shown["worker RAM"] == ("61.25 GB", None)
    assert shown["CPU"] == ("61 %", 100.0) and shown["tokens/s"] == ("61", None)
    assert numbers.labelled(MetricName.TRAIN_LOSS, None) == "loss —"
    assert numbers.labelled(MetricName.LEARNING_RATE, 1e-5) == "lr 1e-05"


def test_names_of_metrics_stand_in_one_place() -> None:
    theirs = {"metrics.py", "tensorboard.py"}  # TensorBoard's tags are another program's names
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in theirs
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in set(map(str, MetricName))
    ]
    assert found == []
