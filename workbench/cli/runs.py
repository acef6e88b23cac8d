"""`runs`, `show`, `stop`, `delete`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.caveats import diverged, untrained_base, warnings_of
from workbench.cli.export_tables import export_metrics, export_runs
from workbench.cli.options import AsJson, Db, RunReference, open_store
from workbench.cli.output import details_as_json, local_time, print_json, run_as_json, say
from workbench.display import numbers
from workbench.display.table import table
from workbench.display.where import HERE, waiting_for, where
from workbench.errors import UsageError
from workbench.metrics import MetricName
from workbench.status import ACTIVE, Status
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.store import Checkpoint, Metric, Run

_LOOK_SECONDS = 0.1
_MOST_EVALUATIONS = 20


def runs(
    context: typer.Context,
    as_json: AsJson = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write them to a .csv, .json or .parquet file, one row per run."),
    ] = None,
    db: Db = None,
) -> None:
    """List every run, newest first."""
    from workbench.worker import liveness

    store = open_store(context, db)
    liveness.refresh(store)
    listed = store.runs(include_archived=True)
    if export:
        export_runs(listed, export)
    if as_json:
        print_json([run_as_json(run) for run in listed])
    if as_json or export:
        return
    if not listed:
        say("There are no runs yet. Start one: mlm-workbench train")
        return
    rows = [["id", "name", "status", "where", "chunk", "mask", "epoch", "test", "best", "before", "started"]]
    for run in listed:
        phase = f", {run.phase}" if run.status == Status.RUNNING and run.phase else ""
        phase += ", stalled" if liveness.stalled(run) else ", diverged" if diverged(run) else ""
        rows.append(
            [
                str(run.id),
                run.name,
                f"{run.status}{phase}",
                where(run),
                numbers.known(run.recipe.chunk_size),
                numbers.decimal(run.recipe.mask_prob),
                f"{run.epoch or 0:.1f}/{numbers.known(run.recipe.epochs)}",
                numbers.perplexity(run.eval_perplexity),
                numbers.perplexity(run.best_eval_perplexity),
                numbers.perplexity(run.baseline_perplexity),
                local_time(run.started_at or run.created_at),
            ]
        )
    if all(row[3] == HERE for row in rows[1:]):
        rows = [[*row[:3], *row[4:]] for row in rows]
    figures = ("id", "chunk", "mask", "epoch", "test", "best", "before")
    print(table(rows, right=frozenset(map(rows[0].index, figures))))


def show(
    context: typer.Context,
    run: RunReference,
    as_json: AsJson = False,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write its metrics to a .csv, .json or .parquet file, one row per value."
        ),
    ] = None,
    db: Db = None,
) -> None:
    """Show everything about a run."""
    from workbench.worker import liveness

    store = open_store(context, db)
    liveness.refresh(store)
    chosen = store.find(run)
    metrics, checkpoints = store.metrics(chosen.id), store.checkpoints(chosen.id)
    if export:
        export_metrics(chosen, metrics, export)
    if as_json:
        print_json(details_as_json(chosen, metrics, checkpoints))
    elif not export:
        print(printable("\n".join(_described(chosen, metrics, checkpoints)), keep_newlines=True))


def stop(
    context: typer.Context,
    run: RunReference,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="Seconds to wait for its checkpoint; 0: do not wait.")
    ] = 60.0,
    db: Db = None,
) -> None:
    """Stop a run after it saves a checkpoint; `resume` continues from there."""
    from workbench.engines import control
    from workbench.worker import liveness

    store = open_store(context, db)
    liveness.refresh(store)
    chosen = store.find(run)
    if chosen.status not in ACTIVE:
        say(f"Run {chosen.id} {chosen.name} is already {chosen.status}.")
        return
    chosen = control.stop(store, chosen.id)
    deadline = time.monotonic() + wait
    while chosen.status in ACTIVE and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        liveness.refresh(store)
        chosen = store.run(chosen.id)
    if chosen.status in ACTIVE:
        say(f"Run {chosen.id} {chosen.name} will stop once its checkpoint is saved.")
    else:
        say(f"Run {chosen.id} {chosen.name} {chosen.status}. Continue it: mlm-workbench resume {chosen.id}")


def delete(
    context: typer.Context,
    run: RunReference,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    db: Db = None,
) -> None:
    """Delete a run and its files. Asks first on a terminal."""
    from workbench.worker import liveness

    store = open_store(context, db)
    liveness.refresh(store)
    chosen = store.find(run)
    label = f"run {chosen.id} {printable(chosen.name)}"
    if chosen.status in ACTIVE:
        raise UsageError(
            f"R{label[1:]} is {chosen.status}.", f"Stop it first: mlm-workbench stop {chosen.id}"
        )
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete {label}, its metrics, checkpoints and log?", abort=True, err=True)
    store.catalog.remove(chosen.id)
    say(f"Deleted {label}.")


def _described(run: Run, metrics: list[Metric], checkpoints: list[Checkpoint]) -> list[str]:
    from workbench.worker import liveness
    from workbench.worker.follow import age_of_news

    lines = [f"Run {run.id} {printable(run.name)}: {run.status}" + (f", {run.phase}" if run.phase else "")]
    if waits := waiting_for(run):
        lines.append(f"Waits: {printable(waits)}.")
    if standstill := liveness.stalled(run):
        lines.append(f"It stalls: {standstill}.")
    elif (age := age_of_news(run)) is not None:
        lines.append(f"Last news {age:.0f} s ago.")
    if run.error:
        lines += [printable(run.error, keep_newlines=True), printable(run.error_hint or "")]
    lines += [f"Warning: {printable(warning)}" for warning in warnings_of(run)]
    lines += ["", table([list(fact) for fact in _facts(run) if fact[1]])]
    evaluations = [metric for metric in metrics if metric.name == MetricName.EVAL_PERPLEXITY]
    if evaluations:
        rows = [["step", "epoch", MetricName.EVAL_PERPLEXITY.label]]
        rows += [
            [f"{m.step:,}", f"{m.epoch:.2f}", numbers.perplexity(m.value)]
            for m in evaluations[-_MOST_EVALUATIONS:]
        ]
        lines += ["", table(rows, right=frozenset({0, 1, 2}))]
    if checkpoints:
        rows = [["checkpoint", "best"]] + [
            [checkpoint.path, "yes" if checkpoint.best else ""] for checkpoint in checkpoints
        ]
        lines += ["", table(rows)]
    if notes := run.data.get("notes"):
        lines += ["", "text", *(f"  {note}" for note in notes)]
    for title, values in (
        ("recipe", run.recipe),
        ("data", {name: value for name, value in run.data.items() if name != "notes"}),
        ("engine", run.engine),
        ("environment", run.environment),
    ):
        if values:
            lines += ["", title, table([["  " + key, _shown(value)] for key, value in values.items()])]
    return lines


def _facts(run: Run) -> list[tuple[str, str]]:
    from workbench.analysis.differences import is_imported

    untrained = untrained_base(run.recipe, run.engine)
    return [
        ("created", local_time(run.created_at)),
        ("started", local_time(run.started_at)),
        ("ended", local_time(run.ended_at)),
        ("epoch", f"{run.epoch or 0:.2f} of {numbers.known(run.recipe.epochs)}"),
        ("step", f"{run.step or 0:,} of {run.total_steps:,}" if run.total_steps else numbers.NOTHING),
        (MetricName.EVAL_PERPLEXITY.label, numbers.perplexity(run.eval_perplexity)),
        ("  best", numbers.perplexity(run.best_eval_perplexity)),
        (
            "  before training",
            f"{numbers.perplexity(run.baseline_perplexity)}{untrained and f' ({untrained})'}",
        ),
        (MetricName.YARDSTICK_PERPLEXITY.label, numbers.perplexity(run.yardstick_perplexity)),
        (MetricName.TRAIN_PERPLEXITY.label, numbers.perplexity(run.train_perplexity)),
        ("throughput", f"{numbers.compact(run.tokens_per_second)} tokens/s"),
        ("where", where(run) if run.place_engine else ""),
        ("processes", str(run.engine.get("processes") or run.processes or "")),
        ("tags", ", ".join(run.tags)),
        ("log", "" if is_imported(run) else str(Path(run.folder) / "worker.log")),
    ]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "—" if value is None else str(value)
