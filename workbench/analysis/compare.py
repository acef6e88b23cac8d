"""Compare runs: what differs between them, whether they may be ranked, and which is better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.analysis.comparison import Comparison, Contender, Group, GroupPair, Pair

if TYPE_CHECKING:
    from workbench.store import Run, Store

__all__ = ["Comparison", "Contender", "Group", "GroupPair", "Pair", "compare_runs"]


def compare_runs(store: Store, run_ids: Sequence[int]) -> Comparison:
    """Compare runs by their scores on the yardstick. Raises UsageError for an id that is no run's."""
    runs = [store.run(run_id) for run_id in run_ids]
    return Comparison(
        runs=[_contender(run) for run in runs],
        differences=differences(runs),
        comparable=False,
        why_not=[f"Run {run.id} {run.name} is not scored on the yardstick." for run in runs],
        pairs=[],
    )


def differences(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The recipe fields that are not the same in all runs: one value per run, None where it has none."""
    fields = dict.fromkeys(field for run in runs for field in run.recipe)
    values = {field: [run.recipe.get(field) for run in runs] for field in fields}
    return {field: found for field, found in values.items() if any(one != found[0] for one in found)}


def _contender(run: Run) -> Contender:
    assert run.id is not None
    return Contender(
        id=run.id,
        name=run.name,
        status=run.status,
        seed=run.recipe.get("seed"),
        step=run.step,
        eval_perplexity=run.eval_perplexity,
        yardstick_perplexity=run.yardstick_perplexity,
        base_perplexity=None,
        chunks=None,
        masked_tokens=None,
    )
