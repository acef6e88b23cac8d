"""Put a cloze suite to the checkpoints of runs and to their base models, each once."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from workbench.analysis.cloze import Suite, answer_suite, figures_of
from workbench.analysis.weights import weights_fingerprint
from workbench.caveats import base_name
from workbench.inference.resolve import base_of, resolve_model
from workbench.store import Checkpoint, Cloze, Run, Store


def ask_base(store: Store, suite: Suite, run: Run) -> Cloze:
    """The answers of the model that the run began with. Raises ModelError."""
    name = base_name(run.recipe, run.engine)
    return _ask(store, suite, base_of(run), run.recipe.model_revision, name, None, 0)


def ask_checkpoint(store: Store, suite: Suite, run: Run, saved: Checkpoint) -> Cloze:
    """The answers of a checkpoint. Raises WorkbenchError."""
    path = resolve_model(store, run=str(run.id), checkpoint=saved.step).path
    return _ask(store, suite, path, None, path, run.id, saved.step)


def _ask(
    store: Store, suite: Suite, place: str, revision: str | None, name: str, run_id: int | None, step: int
) -> Cloze:
    weights = weights_fingerprint(place, revision)
    known = store.clozes.find(suite.fingerprint, weights)
    whose: dict[str, Any] = {"run_id": run_id, "step": step, "model": name}
    if known is not None:
        if (known.run_id, known.step) == (run_id, step):
            return known
        return store.clozes.add(Cloze(**{**known.model_dump(exclude={"id"}), **whose}))
    answers = answer_suite(suite, place, revision)
    return store.clozes.add(
        Cloze(
            **whose,
            weights_fingerprint=weights,
            suite=suite.name,
            suite_fingerprint=suite.fingerprint,
            answers=[
                {**asdict(one), "expected": list(one.expected), "top": list(one.top)} for one in answers
            ],
            **figures_of(answers),
        )
    )
