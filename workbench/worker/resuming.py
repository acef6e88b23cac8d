"""Prepares to resume a run: sets aside what was measured after its newest checkpoint."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from workbench.journal.lines import Kind
from workbench.metrics import perplexity
from workbench.store import Run, Store
from workbench.worker.channel import Channel
from workbench.worker.run_summary import FOLLOWED, RunSummary

log = logging.getLogger(__name__)


def go_back_to_checkpoint(store: Store, run: Run, channel: Channel) -> tuple[Path | None, RunSummary]:
    """The checkpoint to continue from (None: from the beginning) and the summary of the metrics up to it.

    A record in the channel supersedes later metrics and checkpoints, and sets the run's row back to the
    checkpoint, with a new segment.
    """
    from workbench.training.checkpoint import newest_resumable

    checkpoint, skipped = newest_resumable(channel.folder)
    for reason in skipped:
        log.warning("%s; using an earlier checkpoint.", reason)
    if checkpoint is None:
        log.warning("There is no checkpoint to continue from; the run starts over.")
    step = step_of(checkpoint) if checkpoint else -1
    if checkpoint:
        _add_if_missing(store, run, checkpoint, step, channel)
    kept = [metric for metric in store.metrics(run.id, FOLLOWED) if metric.step <= step]
    summary = RunSummary.of(kept)
    columns = summary.columns
    columns["step"] = step if checkpoint else None
    columns["epoch"] = _epoch_at(run, step) if checkpoint else None
    channel.note(
        Kind.BACK,
        step=step,
        checkpoint=channel.within(checkpoint) if checkpoint else None,
        values={**columns, "segment": run.segment + 1},
    )
    return checkpoint, summary


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint folder is named after."""
    return int(checkpoint.name.removeprefix("step-"))


def _add_if_missing(store: Store, run: Run, checkpoint: Path, step: int, channel: Channel) -> None:
    """Record a checkpoint whose worker died after writing it and before reporting it."""
    if any(saved.step == step for saved in store.checkpoints(run.id)):
        return
    state: dict[str, Any] = json.loads((checkpoint / "state" / "progress.json").read_text(encoding="utf-8"))
    loss = state.get("last_eval_loss") if state.get("evaluated_step") == step else None
    channel.note(
        Kind.CHECKPOINT,
        step=step,
        epoch=_epoch_at(run, step) or 0.0,
        path=channel.within(checkpoint),
        eval_perplexity=None if loss is None else perplexity(loss),
        best=loss is not None and loss == state.get("best_saved_loss"),
    )


def _epoch_at(run: Run, step: int) -> float | None:
    steps_per_epoch = run.engine.get("steps_per_epoch")
    return step / steps_per_epoch if steps_per_epoch else None
