"""A search by Optuna: what it proposes, and what it ends early."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from workbench.store import MetricValue, Store
from workbench.store.sweeps import NewRun
from workbench.sweeps.plan import Plan, Range
from workbench.sweeps.pruning import is_behind
from workbench.sweeps.queueing import start_sweep
from workbench.sweeps.search import next_recipe, outcome
from workbench.worker import launch
from workbench.worker.scheduler_liveness import LOG

from .conftest import STARTER, statuses, tiny, until

RATES = Range(1e-5, 1e-1)


def finished_trial(store: Store, plan: Plan, rate: float, perplexity: float) -> None:
    """A trial of the only sweep that came to its end: its test perplexity after each epoch falls to this."""
    recipe = plan.recipe({"learning_rate": rate}, 42)
    made = store.sweeps.extend(
        1, store.sweeps.sweep(1).plan, [NewRun(recipe, f"{rate:g}")], launch.new_folder
    )
    run_id = made[0].id
    store.update_run(
        run_id,
        status="finished",
        queue_position=None,
        eval_perplexity=perplexity,
        yardstick_perplexity=perplexity,
    )
    values = [
        MetricValue("eval/perplexity", 10 * epoch, float(epoch), perplexity * (1 + 1 / epoch))
        for epoch in range(1, recipe.epochs + 1)
    ]
    store.add_metrics(run_id, 0, values)


def searching(store: Store, plan: Plan) -> None:
    sweep = store.sweeps.add("search", plan.to_json(), lambda _: [], launch.new_folder, trials=plan.trials)
    store.sweeps.pause(sweep.id, True)


def test_what_it_proposes_follows_what_was_found(store: Store) -> None:
    plan = Plan(STARTER, {}, ranges={"learning_rate": RATES}, trials=20)
    searching(store, plan)
    for number in range(12):  # best near 1e-3, on a logarithmic scale
        rate = 1e-5 * 10 ** (number / 3)
        finished_trial(store, plan, rate, 40 * math.exp(abs(math.log10(rate) + 3)))
    runs = store.sweeps.runs(1)
    proposed = next_recipe(plan, runs).learning_rate
    assert 2e-4 < proposed < 5e-3
    assert next_recipe(plan, runs).learning_rate == proposed, "the same runs, the same proposal"
    assert outcome(plan, runs[0]) == ("COMPLETE", pytest.approx(math.log(40) + 2))


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_what_is_clearly_behind_is_told(store: Store, pruner: str) -> None:
    plan = Plan(STARTER, {}, ranges={"learning_rate": RATES}, trials=20)
    searching(store, plan)
    for number in range(8):
        finished_trial(store, plan, 1e-3, 40 + number)
    *others, run = store.sweeps.runs(1)
    known = [
        (other, {epoch: math.log(other.eval_perplexity or 1) for epoch in (1, 2, 3)}) for other in others
    ]
    for epochs in ((1,), (1, 2), (1, 2, 3)):
        assert not is_behind(run, {epoch: math.log(30) for epoch in epochs}, known, pruner)
    assert is_behind(run, {epoch: math.log(400) for epoch in (1, 2, 3)}, known, pruner)


def test_a_later_bracket_looks_later(store: Store) -> None:
    plan = Plan(STARTER, {}, ranges={"learning_rate": RATES}, trials=20)
    searching(store, plan)
    for _ in range(8):
        finished_trial(store, plan, 1e-3, 40)
    *others, seventh, eighth = store.sweeps.runs(1)
    known = [(other, {epoch: math.log(40) for epoch in (1, 2, 3)}) for other in others]
    worse = {1: math.log(400)}
    assert is_behind(eighth, worse, known, "hyperband") and not is_behind(seventh, worse, known, "hyperband")
    assert is_behind(seventh, {**worse, 3: math.log(400)}, known, "hyperband")


def test_a_trial_that_is_clearly_worse_is_ended_while_it_trains(
    store: Store, text_file: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler asks Optuna for the trial, a worker trains it, and its tests are compared."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    plan = Plan(tiny(text_file, small_model), {}, ranges={"learning_rate": Range(1e-9, 2e-9)}, trials=1)
    searching(store, plan)
    for number in range(3):  # a learning rate that moves nothing stays far above these
        finished_trial(store, plan, 1.5e-9, 14 + number)
    from workbench.sweeps.queueing import continue_sweep

    continue_sweep(store, 1)
    until(lambda: len(statuses(store)) == 4 and statuses(store)[-1] == "stopped", store)
    trial = store.sweeps.runs(1)[-1]
    assert 1e-9 <= trial.recipe["learning_rate"] <= 2e-9
    assert "Pruned by the search (median)" in trial.note and "3 comparable trials" in trial.note
    assert trial.epoch is not None and 1 <= trial.epoch < trial.recipe["epochs"]
    assert store.sweeps.sweep(1).trials_left == 0
    until(lambda: store.lease.holder() is None)
    assert "Pruned" in (store.runs_folder / LOG).read_text(encoding="utf-8")


def test_a_search_without_a_range_is_refused(store: Store) -> None:
    from workbench.errors import UsageError
    from workbench.sweeps.reading import read_plan

    with pytest.raises(UsageError, match="There is nothing to s"):
        read_plan(STARTER, {}, trials=3)
    with pytest.raises(UsageError, match="needs values"):
        start_sweep(store, read_plan(STARTER, {"learning_rate": "1e-5..1e-3"}))
