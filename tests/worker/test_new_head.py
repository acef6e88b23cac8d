"""A model without a head: what training starts from is what it is compared with, and no trained model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from workbench.analysis.against_base import against_base
from workbench.analysis.compare import compare_runs
from workbench.caveats import warnings_of
from workbench.exports.model_folder import export_run
from workbench.inference.resolve import resolve_model
from workbench.pretrained.model import load_model
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker import launch, liveness

from .conftest import values, wait_for_end


@pytest.fixture
def headless(recipe: Recipe, tmp_path: Path) -> Recipe:
    """The recipe with an encoder alone."""
    AutoModel.from_pretrained(recipe.model).save_pretrained(tmp_path / "encoder")
    load_tokenizer(recipe.model).save_pretrained(tmp_path / "encoder")
    return recipe.with_changes(model=str(tmp_path / "encoder"), epochs=1, checkpoint_every=0)


def trained(store: Store, recipe: Recipe, name: str) -> Run:
    run_id = launch.start(store, recipe, name).id
    assert run_id is not None
    run = wait_for_end(store, run_id)
    assert run.status == Status.FINISHED, run.error
    return run


def test_two_runs_of_one_recipe_begin_and_end_alike_and_another_seed_has_another_head(
    store: Store, headless: Recipe, tmp_path: Path
) -> None:
    one, two = trained(store, headless, "one"), trained(store, headless, "two")
    other = trained(store, headless.with_changes(seed=7, split_seed=42), "other")
    assert one.id and two.id and other.id
    for name in ("train/loss", "eval/perplexity"):
        assert values(store, one.id, name) == values(store, two.id, name)
    assert one.yardstick_perplexity == two.yardstick_perplexity
    assert one.baseline_perplexity != other.baseline_perplexity

    begun = [load_model(resolve_model(store, model=f"run:{run.id}@base").path) for run in (one, two, other)]
    states = [loaded.model.state_dict() for loaded in begun]
    assert all(loaded.drawn == () for loaded in begun)
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    differing = {name for name in states[0] if not torch.equal(states[0][name], states[2][name])}
    assert differing and differing <= set(one.engine["drawn"])

    found = compare_runs(store, [one.id, two.id, other.id])
    pair = found.pair(one.id, two.id)
    assert pair is not None and pair.log_ratio == 0 and pair.verdict == "no difference shown"
    bases = [run.base_perplexity for run in found.runs]
    assert bases[0] == bases[1] is not None and bases[2] not in (None, bases[0])
    assert {run.base_untrained for run in found.runs} == {"its head was new"}
    assert sum("its head was new" in note for note in found.notes) == 3

    against = against_base(store, one, one.step or 0)
    assert against is not None and against.base_perplexity == bases[0]
    assert against.verdict is None and against.untrained == "its head was new"
    export_run(store, one, tmp_path / "exported")
    card = (tmp_path / "exported/README.md").read_text()
    assert "its head was new" in card and "Compared with the base model" not in card
    assert any("drawn at random" in warning for warning in warnings_of(one))
    log = (Path(one.folder) / liveness.LOG).read_text()
    assert "has no weights for its masked-language-model head (cls.predictions." in log
    assert "Weights in its files that this model does not use: pooler.dense" in log


def test_the_head_is_still_known_to_be_new_after_a_resume(store: Store, headless: Recipe) -> None:
    run_id = launch.start(store, headless.with_changes(epochs=30, checkpoint_every=2)).id
    assert run_id is not None
    from .conftest import wait_for

    wait_for(store, run_id, lambda run: (run.step or 0) > 3)
    launch.stop(store, run_id)
    stopped = wait_for_end(store, run_id)
    assert stopped.status == Status.STOPPED and stopped.engine["drawn"]
    store.update_run(run_id, engine={**stopped.engine, "drawn": []})
    launch.resume(store, run_id)
    run = wait_for_end(store, run_id)
    assert run.status == Status.FINISHED and run.engine["drawn"] == stopped.engine["drawn"]


def test_a_training_that_makes_the_model_worse_ends_with_a_warning(store: Store, recipe: Recipe) -> None:
    run = trained(store, recipe.with_changes(learning_rate=5.0, epochs=1, checkpoint_every=0), "diverged")
    assert run.eval_perplexity and run.baseline_perplexity
    assert run.eval_perplexity > run.baseline_perplexity
    (warning,) = warnings_of(run)
    assert "Lower learning_rate" in warning
    assert f"WARNING {warning}" in (Path(run.folder) / liveness.LOG).read_text()


def test_nan_weights_are_found_before_training(store: Store, recipe: Recipe, tmp_path: Path) -> None:
    broken = load_model(recipe.model).model
    next(broken.parameters()).data[5, 5] = float("nan")
    broken.save_pretrained(tmp_path / "nan")
    load_tokenizer(recipe.model).save_pretrained(tmp_path / "nan")
    run_id = launch.start(store, recipe.with_changes(model=str(tmp_path / "nan"))).id
    assert run_id is not None
    run = wait_for_end(store, run_id)
    assert run.status == Status.FAILED and "NaN or infinite values" in (run.error or "")
    assert run.baseline_perplexity is None and run.engine == {}
