"""The filter of the list of runs: what is typed, and which runs it finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.store.run_lines import RunLine, RunLines
from workbench.tui.runs.filter import FIELDS, parse


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[list[RunLine]]:
    store = Store.open(tmp_path / "experiments.db")
    starter, xsum = PRESETS["starter"], PRESETS["xsum"]
    store.create_run(starter, name="Law base", tags=["law", "keep"])
    store.create_run(starter.with_changes(chunk_size=64, mask_prob=0.3), name="law:wide")
    store.create_run(xsum, name="news")
    store.update_run(1, status="finished", eval_perplexity=45.2, started_at=0.0, ended_at=700.0)
    store.update_run(2, status="failed", starred=True, note="too wide")
    store.update_run(3, status="running", eval_perplexity=80.0, archived=True, started_at=0.0)
    yield RunLines(store.database).refresh()
    store.close()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", [1, 2, 3]),
        ("law", [1, 2]),
        ("LAW base", [1]),
        ('"law base"', [1]),
        ('"law:wide"', [2]),
        ("keep", [1]),
        ("too", [2]),
        ("xsum", [3]),
        ("-law", [3]),
        ("!law", [3]),
        ("status:finished", [1]),
        ("status:fin", [1]),
        ("status:failed,running", [2, 3]),
        ("-status:failed,running", [1]),
        ("chunk:128", [1, 3]),
        ("chunk:64,128 -model:distil", [1, 2]),
        ("chunk:<=64", [2]),
        ("mask:0.15", [1, 3]),
        ("mask:>0.15", [2]),
        ("tag:law", [1]),
        ("model:starter", [1, 2]),
        ("data:xsum", [3]),
        ("note:wide", [2]),
        ("name:news", [3]),
        ("star:yes", [2]),
        ("star:no", [1, 3]),
        ("archived:yes", [3]),
        ("archived:all", [1, 2, 3]),
        ("ppl:<50", [1]),
        ("ppl:>=45.2", [1, 3]),
        ("-ppl:<50", [2, 3]),
        ("time:>10m", [1]),
        ("time:<10m", []),
        ("lr:1e-3", [1, 2]),
        ("id:2,3", [2, 3]),
        ("seed:42 epochs:3 batch:16", [1, 2]),
        ("STATUS:finished", [1]),
    ],
)
def test_what_is_found(lines: list[RunLine], typed: str, found: list[int]) -> None:
    asked = parse(typed)
    assert asked.mistakes == ()
    assert sorted(line.id for line in lines if asked.matches(line)) == found


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("chunks:128", "Unknown field chunks. Fields: status, name"),
        ("ppl:<abc", "ppl: needs a number, for example ppl:<50"),
        ("ppl:<", "ppl: needs a number"),
        ("time:>soon", "time: needs a number, for example time:>10m"),
        ("status:done", "status: is queued, running"),
        ("star:maybe", "star: is yes or no"),
        ("archived:maybe", "archived: is yes or no, or all"),
    ],
)
def test_a_mistake_is_said_and_the_rest_still_filters(lines: list[RunLine], typed: str, said: str) -> None:
    asked = parse(f"{typed} law")
    assert len(asked.mistakes) == 1 and asked.mistakes[0].startswith(said)
    assert sorted(line.id for line in lines if asked.matches(line)) == [1, 2]


def test_only_a_filter_that_names_archived_runs_shows_them() -> None:
    assert parse("archived:yes").names_archived and parse("-archived:yes").names_archived
    assert not parse("archived").names_archived


@pytest.mark.parametrize("typed", ['"', '"open', ":", "-", "a:", ":b", "[red]", "ppl:", '-"', "\x1b", "é:1"])
def test_every_half_typed_thing_is_read(lines: list[RunLine], typed: str) -> None:
    for line in lines:
        parse(typed).matches(line)


def test_every_field_is_one_that_is_explained() -> None:
    from workbench.tui.runs.screen import RunsScreen

    unexplained = [name for name in FIELDS if f"{name}:" not in RunsScreen.HELP]
    assert unexplained == []
