"""Scores checkpoints of runs and their base models on a cloze suite, each once."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from workbench.analysis.cloze import Suite, answer_suite, metrics_of
from workbench.analysis.weights import weights_fingerprint
from workbench.caveats import base_name
from workbench.inference.resolve import base_of, resolve_model
from workbench.store import Checkpoint, Cloze, Run, Store


def score_base(store: Store, suite: Suite, run: Run) -> Cloze:
    """The score of the model that the run started from. Raises ModelError."""
    name = base_name(run.recipe, run.engine)
    return _score(store, suite, base_of(run), run.recipe.model_revision, name, None, 0)


def score_checkpoint(store: Store, suite: Suite, run: Run, saved: Checkpoint) -> Cloze:
    """The score of a checkpoint. Raises WorkbenchError."""
    path = resolve_model(store, run=str(run.id), checkpoint=saved.step).path
    return _score(store, suite, path, None, path, run.id, saved.step)


def _score(
    store: Store, suite: Suite, path: str, revision: str | None, name: str, run_id: int | None, step: int
) -> Cloze:
    weights = weights_fingerprint(path, revision)
    earlier = store.clozes.find(suite.fingerprint, weights)
    owner: dict[str, Any] = {"run_id": run_id, "step": step, "model": name}
    if earlier is not None:
        if (earlier.run_id, earlier.step) == (run_id, step):
            return earlier
        return store.clozes.add(Cloze(**{**earlier.model_dump(exclude={"id"}), **owner}))
    answers = answer_suite(suite, path, revision)
    return store.clozes.add(
        Cloze(
            **owner,
            weights_fingerprint=weights,
            suite=suite.name,
            suite_fingerprint=suite.fingerprint,
            answers=[
                {**asdict(answer), "expected": list(answer.expected), "top": list(answer.top)}
                for answer in answers
            ],
            **metrics_of(answers),
        )
    )
