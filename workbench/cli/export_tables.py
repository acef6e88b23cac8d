"""Runs and metrics as files for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.output import iso, run_as_json, say
from workbench.exports.tables import flat, write_table

if TYPE_CHECKING:
    from workbench.store import Metric, Run


def export_runs(runs: Sequence[Run], file: Path) -> None:
    """One row per run: what `runs --json` prints, with the recipe's fields as `recipe.FIELD`."""
    write_table([flat(run_as_json(run)) for run in runs], file)
    say(f"{len(runs):,} runs: {file}")


def export_metrics(run: Run, metrics: Sequence[Metric], file: Path) -> None:
    """One row per value, in the order measured."""
    rows = [
        {
            "run_id": run.id,
            "run": run.name,
            "name": metric.name,
            "step": metric.step,
            "epoch": metric.epoch,
            "value": metric.value,
            "segment": metric.segment,
            "at": iso(metric.at),
        }
        for metric in metrics
    ]
    write_table(rows, file)
    say(f"{len(rows):,} values of run {run.id} {run.name}: {file}")
