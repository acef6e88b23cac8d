"""What a store takes in comes back from each kind of database alike."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest

from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store
from workbench.store.json_text import as_json, storable
from workbench.store.run_lines import RunLines

STARTER = PRESETS["starter"]


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    opened = Store.open(location)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\x00b", "a\u2400b"),
        ("name-\udcff.txt", "name-\ufffd.txt"),
        ("\U0001f600 наука \u200d", "\U0001f600 наука \u200d"),
        ("'; DROP TABLE run; -- %s %(x)s :y \\ \\u0000", "'; DROP TABLE run; -- %s %(x)s :y \\ \\u0000"),
        ("x" * 1_000_000, "x" * 1_000_000),
    ],
)
def test_texts(store: Store, given: str, kept: str) -> None:
    run = store.create_run(STARTER)
    store.update_run(run.id, note=given, error=given, environment={"key": [given], given: 1})
    store.add_fill(model=given, run_id=run.id, text=given, result={"text": given})
    found, fill = store.run(run.id), store.fills()[0]
    assert (found.note, found.error) == (kept, kept)
    assert found.environment == {"key": [kept], kept: 1}
    assert (fill.model, fill.text, fill.result) == (kept, kept, {"text": kept})
    assert RunLines(store.database).refresh()[0].error == kept


def test_numbers_without_bounds(store: Store) -> None:
    run = store.create_run(STARTER)
    store.update_run(run.id, eval_perplexity=math.inf, engine={"a": math.inf, "b": -math.inf, "c": math.nan})
    values = [MetricValue("train/loss", step, 0.0, value) for step, value in enumerate([math.inf, 1e308], 1)]
    store.add_metrics(run.id, 0, values)
    found = store.run(run.id)
    assert found.eval_perplexity == math.inf
    assert found.engine == {"a": math.inf, "b": -math.inf, "c": None}
    assert [metric.value for metric in store.metrics(run.id)] == [math.inf, 1e308]


def test_steps_and_counts_beyond_32_bits(store: Store) -> None:
    run = store.create_run(STARTER)
    first, count, stride = 3_000_000_000, 60, 40_000_000
    steps = [first + stride * number for number in range(count)]
    store.add_metrics(run.id, 0, [MetricValue("eval/loss", step, 0.5, float(step % 7)) for step in steps])
    store.update_run(run.id, step=steps[-1], total_steps=steps[-1], progress_total=2**40)
    store.add_checkpoint(run.id, step=steps[-1], epoch=1, path="p", eval_perplexity=None, best=True)
    assert store.run(run.id).progress_total == 2**40
    assert len(store.curves.thinned(run.id, "eval/loss", 20)) <= 21
    assert store.curves.sparks([run.id], "eval/loss", 8)[run.id][-1] == steps[-1] % 7
    assert store.curves.moments(run.id, "eval/loss", 8)[-1].step == steps[-1]
    assert store.curves.sketch(run.id, "eval/loss", 60, of=60)
    assert [saved.step for saved in store.models.saved(run.id)] == [steps[-1]]


@pytest.mark.parametrize("reference", ["99999999999999999999", "4294967296", "2147483648"])
def test_an_id_that_is_too_large_is_no_run(store: Store, reference: str) -> None:
    store.create_run(STARTER, "only")
    with pytest.raises(Exception, match="There is no run"):
        store.find(reference)


def test_names_are_told_apart_by_case_and_compared_by_their_bytes(store: Store) -> None:
    for name in ("a", "A", "ä", "b b", "b-b"):
        store.create_run(STARTER, name)
    assert [store.find(name).name for name in ("a", "A", "ä", "b-b")] == ["a", "A", "ä", "b-b"]
    run = store.create_run(STARTER)
    for name in ("time/a", "time", "times", "Time/b", "time/\U0001f600"):
        store.add_metrics(run.id, 0, [MetricValue(name, 1, 0.0, 1.0)])
    assert set(store.curves.totals(run.id, "time/")) == {"time/a"}


def test_json_is_standard() -> None:
    value = {"NaN": [math.nan, "Infinity, NaN", -math.inf], "\x00": '"\\', "e": "\U0001f600"}
    text = as_json(value)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert json.loads(text) == {
        "NaN": [None, "Infinity, NaN", -math.inf],
        "\u2400": '"\\',
        "e": "\U0001f600",
    }
    assert storable("plain") == "plain"
