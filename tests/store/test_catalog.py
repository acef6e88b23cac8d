"""What a person does to runs in a list, and the list itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from workbench.errors import UsageError
from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store
from workbench.store.run_lines import RunLines
from workbench.store.tables import Run


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    """Three finished runs and, as number 4, one that runs."""
    opened = Store.open(location)
    for number in range(1, 5):
        run = opened.create_run(PRESETS["starter"], tags=["first"] if number == 1 else [])
        opened.update_run(run.id, status="running" if number == 4 else "finished")
        Path(run.folder).mkdir(parents=True)
    yield opened
    opened.close()


def test_a_deleted_run_is_nowhere_until_it_is_restored(store: Store) -> None:
    assert store.catalog.delete([1, 2, 4]) == [1, 2], "one that runs stays"
    assert [run.id for run in store.runs()] == [4, 3]
    for reference in ("1", store.run(2).name):
        with pytest.raises(UsageError):
            store.find(reference)
    assert store.catalog.deleted() == [1, 2]
    assert store.catalog.delete([1]) == [], "it is deleted already"
    assert store.catalog.restore([1, 2]) == 2
    assert [run.id for run in store.runs()] == [4, 3, 2, 1] and store.find("1").id == 1


def test_purging_removes_rows_and_folders_of_deleted_runs_alone(store: Store) -> None:
    folders = {run.id: Path(run.folder) for run in store.runs()}
    store.catalog.delete([2])
    store.update_run(3, deleted_at=1.0, status="running")  # its worker came back to life
    assert store.catalog.purge() == 1
    assert not folders[2].exists() and all(folders[i].exists() for i in (1, 3, 4))
    assert store.catalog.restore([2]) == 0 and store.catalog.restore([3]) == 1


def test_latest_and_active_runs_leave_deleted_ones_out(store: Store) -> None:
    store.update_run(4, deleted_at=1.0)
    assert store.find("latest").id == 3 and store.active_runs() == []


def test_names_tags_notes_and_stars(store: Store) -> None:
    assert store.catalog.rename(1, "  better ") == "better"
    folder = store.run(1).folder
    store.catalog.star([1, 2], True)
    store.catalog.archive([2], True)
    store.catalog.note([1], "seed of all")
    store.catalog.retag([1, 2], lambda tags: [*tags, "new", "new"])
    first, second = store.run(1), store.run(2)
    assert (first.name, first.note, first.tags, first.folder) == (
        "better",
        "seed of all",
        ["first", "new"],
        folder,
    )
    assert first.starred and second.starred and second.archived and second.tags == ["new"]


@pytest.mark.parametrize("name", ["", "latest", "7", "a\x1b[31m", "x" * 201])
def test_a_run_cannot_be_renamed_to_what_no_run_can_be_called(store: Store, name: str) -> None:
    before = store.run(1).name
    with pytest.raises(UsageError):
        store.catalog.rename(1, name)
    assert store.run(1).name == before


@pytest.mark.parametrize("tag", ["", "two words", "a,b", "x" * 51, "\x1b"])
def test_what_cannot_be_a_tag_changes_no_run(store: Store, tag: str) -> None:
    with pytest.raises(UsageError):
        store.catalog.retag([1, 2], lambda tags: [*tags, tag])
    assert store.run(1).tags == ["first"]


def test_lines_say_what_the_runs_say(store: Store) -> None:
    store.update_run(2, eval_perplexity=45.5, starred=True, segment=1)
    lines = RunLines(store.database).refresh()
    assert [line.id for line in lines] == [4, 3, 2, 1]
    line = lines[2]
    assert (line.eval_perplexity, line.starred, line.segment, line.status) == (45.5, True, 1, "finished")
    recipe = PRESETS["starter"]
    assert (line.recipe.model, line.recipe.chunk_size, line.recipe.mask_prob, line.recipe.seed) == (
        recipe.model,
        recipe.chunk_size,
        recipe.mask_prob,
        recipe.seed,
    )
    assert lines[3].tags == ("first",)


def test_only_what_changed_is_another_object(store: Store) -> None:
    kept = RunLines(store.database)
    before = {line.id: line for line in kept.refresh()}
    store.update_run(2, eval_perplexity=45.5)
    after = {line.id: line for line in kept.refresh()}
    assert [key for key in after if after[key] is not before[key]] == [2]


def test_a_partial_reading_sees_new_runs_those_that_go_and_those_it_is_told(store: Store) -> None:
    kept = RunLines(store.database)
    kept.refresh()
    store.update_run(4, status="finished", eval_perplexity=50.0)
    store.update_run(1, name="changed elsewhere")
    store.update_run(2, name="changed here")
    store.catalog.delete([3])
    new = store.create_run(PRESETS["starter"])
    lines = {line.id: line for line in kept.refresh(whole=False, also=[2, 3])}
    assert list(lines) == [new.id, 4, 2, 1]
    assert lines[4].eval_perplexity == 50.0 and lines[2].name == "changed here"
    assert lines[1].name != "changed elsewhere"
    assert {line.id: line for line in kept.refresh()}[1].name == "changed elsewhere"


def test_many_runs_are_read_in_pages_and_none_is_left_out_or_doubled(store: Store) -> None:
    recipe = PRESETS["starter"].model_dump(mode="json")
    more = [Run(name=f"many {i}", status="finished", recipe=recipe, created_at=i) for i in range(1200)]
    with store.database.engine.begin() as connection:
        connection.execute(insert(Run), [run.model_dump(exclude={"id"}) for run in more])
    store.catalog.delete([600, 601])
    kept = RunLines(store.database)
    newest = kept.newest(200)
    assert [line.id for line in newest] == list(range(1204, 1004, -1))
    every = kept.refresh()
    assert [line.id for line in every] == [i for i in range(1204, 0, -1) if i not in (600, 601)]
    assert every[0] is newest[0]


def test_an_id_that_comes_again_is_another_run(store: Store) -> None:
    kept = RunLines(store.database)
    first = store.create_run(PRESETS["xsum"])
    store.update_run(first.id, status="failed")
    kept.refresh()
    store.catalog.remove(first.id)
    if store.database.backend.file is None:  # a server gives an id again only after a dump was restored
        with store.database.engine.begin() as connection:
            connection.execute(text(f"SELECT setval('run_id_seq', {first.id}, false)"))
    second = store.create_run(PRESETS["starter"].with_changes(chunk_size=64))
    assert first.id == second.id
    assert kept.refresh()[0].recipe.chunk_size == 64


def test_sparks_keep_the_extremes_and_the_last(store: Store) -> None:
    values = [100.0 - i * 0.1 for i in range(500)]
    values[233], values[321] = 400.0, 2.0
    store.add_metrics(1, 0, [MetricValue("eval/perplexity", i, 0.0, v) for i, v in enumerate(values)])
    store.add_metrics(
        2, 0, [MetricValue("eval/perplexity", i * 148, 0.0, v) for i, v in enumerate([9, 5, 3])]
    )
    found = store.curves.sparks([1, 2, 3], "eval/perplexity", 8)
    assert found[2] == [5, 3] and found[3] == []
    assert max(found[1]) == 400.0 and min(found[1]) == 2.0
    assert found[1][0] == 99.9 and found[1][-1] == values[-1] and len(found[1]) <= 17


def test_moments_go_from_the_first_step_to_the_last_through_all_segments(store: Store) -> None:
    for segment, steps in ((0, range(1, 101)), (1, range(101, 201))):
        store.add_metrics(1, segment, [MetricValue("train/loss", step, 0.0, 1.0) for step in steps])
    found = store.curves.moments(1, "train/loss", 10)
    assert (found[0].step, found[-1].step) == (1, 200) and 10 <= len(found) <= 13
    assert [one.segment for one in found] == sorted(one.segment for one in found)
    assert found[0].at <= found[-1].at
    assert store.curves.moments(3, "train/loss", 10) == []
