"""Which documents a training writes down: its own, and those that its base was trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.training.conftest import Training
from workbench.document_hashes import documents_of
from workbench.events import Message
from workbench.recipe import Recipe

Run = Callable[..., Training]


def test_a_run_on_a_checkpoint_was_trained_on_what_the_checkpoint_was(
    run_training: Run, recipe: Recipe, tmp_path: Path
) -> None:
    recipe = recipe.with_changes(max_steps=2)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first = run_training(recipe, "first")
    checkpoint = str(first.checkpoints[-1].path)
    second = run_training(recipe.with_changes(model=checkpoint, seed=43), "second")
    earlier, later = documents_of(first.folder), documents_of(second.folder)
    assert earlier is not None and later is not None and later.before is not None and later.before_known
    assert sorted(later.before.tolist()) == sorted(earlier.train.tolist())
    assert len(earlier.train) == 240 and earlier.before is not None and len(earlier.before) == 0
    # another seed splits otherwise: four in five of its test documents were trained on, and it says so
    seen = int(np.isin(later.test, earlier.train).sum())
    assert 40 <= seen <= 56
    warnings = [event.text for event in second.events if isinstance(event, Message)]
    assert any(f"was trained on {seen} of 60 test documents" in text for text in warnings)
