"""Which checkpoint is the best: the one with the lowest test perplexity of those that were saved."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.training.conftest import Training
from workbench.recipe import Recipe
from workbench.status import Status

Run = Callable[..., Training]


def marked(training: Training) -> list[int]:
    """The steps of the checkpoints that were told to be the best so far."""
    return [saved.step for saved in training.checkpoints if saved.best]


def pointed_at(training: Training) -> int:
    name = json.loads((training.folder / "checkpoints" / "best").read_text())["name"]
    return int(name.removeprefix("step-"))


def lowest_saved(training: Training) -> int:
    tested = {one.step: one.eval_perplexity for one in training.checkpoints if one.eval_perplexity}
    return min(tested, key=lambda step: tested[step])


def test_the_lowest_of_the_saved_ones_is_marked_though_a_lower_one_was_not_saved(
    run_training: Run, recipe: Recipe
) -> None:
    training = run_training(recipe.with_changes(epochs=3, eval_every=5, learning_rate=0.05))
    assert marked(training), "no checkpoint was marked"
    assert marked(training)[-1] == lowest_saved(training) == pointed_at(training)


def test_a_run_that_got_worse_than_its_base_still_has_a_best_checkpoint(
    run_training: Run, recipe: Recipe
) -> None:
    training = run_training(recipe.with_changes(epochs=2, learning_rate=2.0))
    losses = training.values("eval/loss")
    assert min(losses, key=lambda step: losses[step]) == 0
    assert marked(training)[-1] == lowest_saved(training) == pointed_at(training)


def test_a_checkpoint_whose_evaluation_was_cut_off_is_marked_when_it_is_made_up_for(
    run_training: Run, recipe: Recipe
) -> None:
    whole = run_training(recipe, "whole")
    last = max(one.step for one in whole.checkpoints)
    cut = run_training(recipe, "cut", stop_after=last)
    assert cut.outcome is Status.STOPPED
    assert cut.checkpoints[-1].step == last and cut.checkpoints[-1].eval_perplexity is None
    resumed = run_training(recipe, "cut", resume_from=cut.checkpoints[-1].path)
    assert resumed.outcome is Status.FINISHED
    made_up = resumed.checkpoints[-1]
    assert (made_up.step, made_up.eval_perplexity) == (last, whole.checkpoints[-1].eval_perplexity)
    assert made_up.best == whole.checkpoints[-1].best
    assert pointed_at(resumed) == pointed_at(whole)
