"""Runs as JSON and as lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench.caveats import warnings_of
from workbench.display.where import HERE, job_state, waiting_for
from workbench.metrics import as_json
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.store import Checkpoint, Metric, Run

_COLUMNS = (
    "id",
    "name",
    "status",
    "phase",
    "recipe",
    "baseline_perplexity",
    "eval_perplexity",
    "best_eval_perplexity",
    "yardstick_perplexity",
    "train_perplexity",
    "epoch",
    "step",
    "total_steps",
    "tokens_per_second",
    "checkpoint",
    "error",
    "error_hint",
    "created_at",
    "started_at",
    "ended_at",
    "folder",
    "tags",
    "note",
    "host",
    "worker_pid",
    "heartbeat_at",
    "processes",
    "nodes",
    "job",
)


def print_json(value: Any) -> None:
    """Print JSON on standard output, in ASCII so that it holds no terminal escapes."""
    sys.stdout.write(json.dumps(as_json(value), indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def run_as_json(run: Run) -> dict[str, Any]:
    """A run's columns; times in ISO 8601, unknown values null. `stalled`: why, or null.

    `warnings`: sentences that belong beside its metrics.
    """
    from workbench.worker.liveness import stalled

    values = {name: getattr(run, name) for name in _COLUMNS}
    shown = {name: iso(value) if name.endswith("_at") else value for name, value in values.items()}
    where_it_runs = {
        "place": run.place or HERE,
        "processes": run.engine.get("processes") or run.processes,
        "engine_state": job_state(run),
        "waiting_for": waiting_for(run) or None,
    }
    return {**shown, **where_it_runs, "stalled": stalled(run) or None, "warnings": warnings_of(run)}


def details_as_json(run: Run, metrics: Sequence[Metric], checkpoints: Sequence[Checkpoint]) -> dict[str, Any]:
    """Everything known about a run. `metrics`: by name, [{step, epoch, value}] in order of steps."""
    curves: dict[str, list[dict[str, Any]]] = {}
    for metric in metrics:
        point = {"step": metric.step, "epoch": metric.epoch, "value": metric.value}
        curves.setdefault(metric.name, []).append(point)
    saved = [
        {
            "step": checkpoint.step,
            "epoch": checkpoint.epoch,
            "path": checkpoint.path,
            "eval_perplexity": checkpoint.eval_perplexity,
            "best": checkpoint.best,
            "created_at": iso(checkpoint.created_at),
        }
        for checkpoint in checkpoints
    ]
    return {
        **run_as_json(run),
        "environment": run.environment,
        "data": run.data,
        "engine": run.engine,
        "checkpoints": saved,
        "metrics": curves,
    }


def iso(seconds: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(seconds: float | None) -> str:
    """A time to read, in the machine's time zone."""
    return "—" if seconds is None else datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def say(text: str) -> None:
    """Print a message on standard error."""
    print(printable(text, keep_newlines=True), file=sys.stderr, flush=True)
