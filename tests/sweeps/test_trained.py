"""A 2 x 2 sweep with two seeds, trained for real, killed half way and continued."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from workbench.analysis.heat_map import heat_map
from workbench.analysis.sweep_table import sweep_table
from workbench.exports.sweep_files import write_sweep
from workbench.store.sweeps import RESUMED
from workbench.worker.scheduler_liveness import LOG

from .conftest import TrainedSweep


def test_all_runs_of_the_grid_are_finished_each_once(trained_sweep: TrainedSweep) -> None:
    runs = trained_sweep.store.sweeps.runs(trained_sweep.sweep.id)
    assert [run.status for run in runs] == ["finished"] * 8
    points = Counter(tuple(run.recipe[name] for name in ("chunk_size", "mask_prob", "seed")) for run in runs)
    assert points == Counter(
        (size, share, seed) for size in (32, 64) for share in (0.15, 0.3) for seed in (42, 43)
    )
    assert {run.recipe["split_seed"] for run in runs} == {42}, "all seeds hold out the same rows"
    assert len(trained_sweep.store.runs()) == 8
    assert all(run.queue_position is None for run in runs)


def test_the_killed_run_went_on_from_its_checkpoint_and_nothing_is_doubled(
    trained_sweep: TrainedSweep,
) -> None:
    store, killed = trained_sweep.store, trained_sweep.killed
    assert killed.status == "crashed" and killed.checkpoint is not None
    whole = store.run(killed.id)
    assert whole.environment[RESUMED] == 1, "by the queue itself"
    assert whole.segment == 1 and all(
        run.segment == 0 for run in store.sweeps.runs(trained_sweep.sweep.id) if run.id != killed.id
    )
    for run in store.sweeps.runs(trained_sweep.sweep.id):
        for name in ("train/loss", "eval/perplexity"):
            steps = [metric.step for metric in store.metrics(run.id, [name])]
            assert steps and len(steps) == len(set(steps)), (run.id, name)
        kept = [checkpoint.step for checkpoint in store.checkpoints(run.id)]
        assert len(kept) == len(set(kept))
        assert store.yardsticks.all([run.id])[run.id]


def test_the_text_was_prepared_once(trained_sweep: TrainedSweep) -> None:
    runs = trained_sweep.store.sweeps.runs(trained_sweep.sweep.id)
    assert all(run.data["from_cache"] for run in runs[1:])
    assert len({run.data["fingerprint"] for run in runs}) == 1


def test_a_second_keeper_went_on_where_the_first_was_killed(trained_sweep: TrainedSweep) -> None:
    log = (trained_sweep.store.runs_folder / LOG).read_text(encoding="utf-8")
    assert log.count("scheduling the queue") >= 2 and log.rstrip().endswith("the queue is empty")
    for run in trained_sweep.store.sweeps.runs(trained_sweep.sweep.id):
        assert log.count(f"starting run {run.id} ") == 1, "none was started twice"


@pytest.mark.parametrize("ending", ["csv", "json", "md", "svg"])
def test_its_table_map_and_files_have_every_recipe(
    trained_sweep: TrainedSweep, tmp_path: Path, ending: str
) -> None:
    store = trained_sweep.store
    table = sweep_table(store, store.sweeps.runs(trained_sweep.sweep.id), ["chunk_size", "mask_prob"])
    assert len(table.entries) == 4 and all(
        entry.n == 2 and entry.spread is not None for entry in table.entries
    )
    assert table.best is not None and all(entry.mark for entry in table.entries)
    picture = heat_map(table)
    assert (
        picture is not None
        and picture.across_labels == ["32", "64"]
        and picture.down_labels == ["0.15", "0.3"]
    )
    assert {effect.field for effect in table.effects} == {"chunk_size", "mask_prob"}
    file = tmp_path / f"sweep.{ending}"
    write_sweep(table, "grid", file)
    text = file.read_text(encoding="utf-8")
    assert "0.15" in text and "0.3" in text and f"{table.best.perplexity:.4g}"[:3] in text
