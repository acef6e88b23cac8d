"""Prunes the trials of a search that are clearly behind.

While training, a run has only its own test: its perplexity after each epoch. It is compared with other
trials of the search after the same epoch, and only with those that have the same test questions (chunk size,
masking, text, tokenizer) and as many epochs; a trial without such others is never pruned. `median`: worse
than half of those that finished. `hyperband`: not among the best third of its bracket at a checkpoint.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.metrics import MetricName, perplexity
from workbench.recipe import Affects
from workbench.recipe_fields import agree
from workbench.status import Status
from workbench.store import Run, Store
from workbench.sweeps.search import optuna_library

log = logging.getLogger(__name__)

FEWEST_FINISHED = 3
"""Comparable trials that must have finished before any is pruned."""
_COMPARABLE = Affects.TEXT | Affects.QUESTIONS | Affects.LENGTH
"""The fields that must be equal before two runs' own tests can be compared after the same epoch."""
_THIRD = 3
Evaluations = dict[int, float]
"""Whole epochs -> log perplexity on the run's own test."""


def prune(store: Store, run: Run, plan: Mapping[str, Any]) -> bool:
    """Stop this running trial if it is clearly behind, and note the reason. Returns whether it was
    stopped."""
    if run.sweep_id is None or run.stop_requested_at is not None:
        return False
    own = evaluations(store, run)
    if not own:
        return False
    others = [
        (other, evaluations(store, other))
        for other in store.sweeps.runs(run.sweep_id)
        if other.id != run.id and agree(other.recipe, run.recipe, _COMPARABLE)
    ]
    finished = [other for other, _ in others if other.status == Status.FINISHED]
    if len(finished) < FEWEST_FINISHED or not is_behind(run, own, others, str(plan["pruner"])):
        return False
    epoch = max(own)
    reason = (
        f"Pruned by the search ({plan['pruner']}): test perplexity {perplexity(own[epoch]):.4g} "
        f"after epoch {epoch}, behind the {len(finished)} comparable trials that finished."
    )
    log.info("run %s: %s", run.id, reason)
    store.catalog.note([run.id], f"{run.note}\n{reason}".strip())
    store.request_stop(run.id)
    return True


def evaluations(store: Store, run: Run) -> Evaluations:
    """A run's values after each whole epoch so far."""
    return {
        round(metric.epoch): math.log(metric.value)
        for metric in store.metrics(run.id, [MetricName.EVAL_PERPLEXITY])
        if metric.epoch > 0.5
        and abs(metric.epoch - round(metric.epoch)) < 1e-6
        and 0 < metric.value < math.inf
    }


def is_behind(run: Run, own: Evaluations, others: Sequence[tuple[Run, Evaluations]], pruner: str) -> bool:
    """Whether to prune a trial, given comparable others."""
    if pruner == "hyperband":
        return _is_halved(run, own, others)
    optuna = optuna_library()
    median = optuna.pruners.MedianPruner(n_startup_trials=FEWEST_FINISHED, n_warmup_steps=0)
    study = optuna.create_study(direction="minimize", pruner=median)
    states = optuna.trial.TrialState
    for other, values in others:
        done = other.status == Status.FINISHED and values
        study.add_trial(
            optuna.trial.create_trial(
                state=states.COMPLETE if done else states.PRUNED,
                value=values[max(values)] if done else None,
                intermediate_values=values,
            )
        )
    study.add_trial(optuna.trial.create_trial(state=states.RUNNING, intermediate_values=own))
    return bool(median.prune(study, study.trials[-1]))


def _is_halved(run: Run, own: Evaluations, others: Sequence[tuple[Run, Evaluations]]) -> bool:
    """Asynchronous successive halving in Hyperband's brackets (Li et al. 2018 and 2020): after 1, 3, 9, ...
    epochs only the best third continues; a later bracket skips the first of these checks.

    Optuna's own pruner needs its storage, which a study rebuilt from the store does not have.
    """
    brackets = 1 + int(math.log(max(int(run.recipe.epochs or 1), 1), _THIRD) + 1e-9)
    bracket = run.id % brackets
    for epoch in (_THIRD**rung for rung in range(bracket, brackets)):
        if epoch in own:
            rivals = [values for other, values in others if other.id % brackets == bracket]
            reached = sorted([own[epoch], *(values[epoch] for values in rivals if epoch in values)])
            if own[epoch] > reached[max(len(reached) // _THIRD - 1, 0)]:
                return True
    return False
