"""The engine's parts that need no model."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from workbench.recipe import Recipe
from workbench.training import checkpoint
from workbench.training.batches import StepPlan, deal_out
from workbench.training.evaluate import Evaluation
from workbench.training.metric_buffer import MeasuredStep, MetricBuffer
from workbench.training.schedule import learning_rate


def rates(total: int = 100, **changes: object) -> list[float]:
    recipe = Recipe(learning_rate=1.0).with_changes(**changes)
    return [learning_rate(recipe, step, total) for step in range(1, total + 1)]


def test_a_constant_rate_is_constant() -> None:
    assert set(rates()) == {1.0}


def test_warm_up_climbs_to_the_peak() -> None:
    found = rates(warmup_ratio=0.1)
    assert found[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert set(found[10:]) == {1.0}


@pytest.mark.parametrize("schedule", ["linear", "cosine", "wsd"])
def test_the_others_fall_to_just_above_0(schedule: str) -> None:
    found = rates(schedule=schedule, warmup_ratio=0.1)
    assert max(found) == 1.0
    falling = found[10:]
    assert all(a >= b for a, b in pairwise(falling))
    assert 0 < found[-1] < 0.06


def test_linear_and_cosine_are_half_way_down_in_the_middle() -> None:
    assert rates(schedule="linear", total=101)[50] == pytest.approx(0.5, abs=0.01)
    assert rates(schedule="cosine", total=101)[50] == pytest.approx(0.5, abs=0.01)


def test_wsd_is_stable_until_its_decay() -> None:
    found = rates(schedule="wsd", decay_ratio=0.2)
    assert set(found[:80]) == {1.0} and found[80] < 1.0


def test_every_chunk_comes_once_an_epoch_in_an_order_of_its_own() -> None:
    plan = StepPlan(seed=1, chunks=103, step_chunks=10, epochs=2)
    steps = list(plan.steps_after(0))
    assert (plan.steps_per_epoch, plan.total_steps, len(steps)) == (11, 22, 22)
    first, second = (np.concatenate([s.rows for s in steps if s.epoch == epoch]) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(103))
    assert list(first) != list(second)
    assert [step.number for step in steps if step.ends_epoch] == [11, 22]
    assert len(steps[10].rows) == 3


def test_steps_after_a_resume_are_those_that_would_have_come() -> None:
    plan = StepPlan(seed=1, chunks=103, step_chunks=10, epochs=2)
    for done in (0, 4, 11, 15, 22):
        rest = list(plan.steps_after(done))
        expected = list(plan.steps_after(0))[done:]
        assert [step.number for step in rest] == [step.number for step in expected]
        assert all(np.array_equal(a.rows, b.rows) for a, b in zip(rest, expected, strict=True))


@pytest.mark.parametrize("count", [32, 10, 3, 1])
def test_a_steps_rows_are_dealt_out_once(count: int) -> None:
    rows = np.arange(count)
    dealt = [deal_out(rows, passes=2, processes=4, process=p) for p in range(4)]
    assert all(len(parts) == 2 for parts in dealt)
    assert sorted(np.concatenate([part for parts in dealt for part in parts])) == list(rows)


def test_perplexity_weighs_every_token_alike() -> None:
    # one chunk with 1 masked token at a loss of 4, one with 9 at 2 each: a mean of means would be exp(3)
    evaluation = Evaluation(np.array([4.0, 18.0]), np.array([1, 9]))
    assert evaluation.perplexity == pytest.approx(np.exp(2.2))


def test_the_tape_gives_back_every_step_once_and_in_order() -> None:
    metric_buffer = MetricBuffer(torch.device("cpu"))
    for step in (1, 2, 3):
        loss_sum, masked, grad_norm = torch.tensor(6.0), torch.tensor(3.0), torch.tensor(0.5)
        metric_buffer.write(MeasuredStep(step, 0.1 * step, 64, loss_sum, masked, grad_norm))
        if step == 2:
            assert [record.step for record in metric_buffer.read()] == [1, 2]
    (record,) = metric_buffer.read(wait=True)
    assert (record.step, record.tokens, record.loss) == (3, 64, 2.0)
    assert not list(metric_buffer.read())


def write_checkpoint(run_folder: Path, step: int) -> Path:
    def write_model(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "config.json").write_text("{}")

    state = checkpoint.TrainingState(step=step)
    return checkpoint.save(run_folder, state, {"w/exp_avg": torch.ones(2)}, write_model, best=False)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, 1)

    def fail(folder: Path) -> None:
        (folder / "half").write_bytes(b"x")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        checkpoint.save(tmp_path, checkpoint.TrainingState(step=2), {}, fail, best=True)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["latest", "step-00000001"]


def test_what_a_dead_process_was_writing_is_ignored_and_cleared(tmp_path: Path) -> None:
    unfinished = tmp_path / "checkpoints" / ".writing-step-00000005"
    unfinished.mkdir(parents=True)
    (tmp_path / "checkpoints" / "step-00000004").mkdir()  # renamed, but without a manifest: not ours
    assert checkpoint.newest_resumable(tmp_path) == (None, [])
    saved = write_checkpoint(tmp_path, 6)
    assert not unfinished.exists()
    assert checkpoint.newest_resumable(tmp_path) == (saved, [])


def test_only_the_newest_two_keep_their_optimizer_state(tmp_path: Path) -> None:
    saved = [write_checkpoint(tmp_path, step) for step in (1, 2, 3, 4)]
    assert [(path / "state").is_dir() for path in saved] == [False, False, True, True]
    assert "optimizer state" in checkpoint.damage(saved[0])
    assert all((path / "model.safetensors").is_file() for path in saved)
