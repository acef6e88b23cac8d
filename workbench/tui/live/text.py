"""The texts of the live screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from workbench.display import numbers
from workbench.display.measurements import Measurements
from workbench.display.run import doing, short_name
from workbench.display.where import waiting_for
from workbench.events import Phase
from workbench.metrics import MOST_GPUS, PANELS, MetricName
from workbench.status import Status
from workbench.text import printable
from workbench.tui.live.panels import Panel

if TYPE_CHECKING:
    from workbench.store import Run

_NOT_COUNTED = (Phase.STARTING, Phase.LOADING_MODEL, Phase.SAVING)


def title_of(run: Run, standstill: str = "") -> tuple[str, ...]:
    """The title: name and status on the left, recipe on the right. `standstill`: why it seems to stall."""
    recipe = run.recipe
    symbol, words = doing(run, standstill)
    return (
        f"{symbol} {run.id} {run.name}  {words}",
        f"chunk {numbers.known(recipe.chunk_size)}",
        f"mask {numbers.decimal(recipe.mask_prob)}",
        short_name(recipe.model),
        short_name(recipe.dataset),
    )


def figure_lines(run: Run, measured: Measurements) -> list[str]:
    """Two lines of metrics: results, and the training."""
    test, baseline = run.eval_perplexity, run.baseline_perplexity
    first = [f"test {numbers.perplexity(test)}", f"best {numbers.perplexity(run.best_eval_perplexity)}"]
    first.append(f"train {numbers.perplexity(run.train_perplexity)}")
    times = f" (÷{baseline / test:,.0f})" if baseline and test and baseline / test >= 1.5 else ""
    first.append(f"before training {numbers.perplexity(baseline)}{times}")
    wanted = run.recipe.epochs
    second = [f"epoch {run.epoch or 0:.1f}/{numbers.known(wanted)}"]
    second.append(numbers.labelled(MetricName.TRAIN_LOSS, measured.last(MetricName.TRAIN_LOSS)))
    second.append(f"{numbers.compact(run.tokens_per_second)} tokens/s")
    second.append(numbers.labelled(MetricName.LEARNING_RATE, measured.last(MetricName.LEARNING_RATE)))
    if (norm := measured.last(MetricName.GRAD_NORM)) is not None:
        second.append(numbers.labelled(MetricName.GRAD_NORM, norm))
    if run.engine:
        second.append(f"{run.engine.get('device')} {run.engine.get('precision')}")
    return ["Perplexity  " + "  ".join(first), "Training    " + "  ".join(second)]


def processes_line(run: Run, measured: Measurements) -> str:
    """The processes of a run that has several, their devices, and what its GPUs do; "" for one process."""
    devices = [str(device).partition(" ") for device in run.engine.get("devices") or ()]
    if len(devices) < 2:
        return ""
    hosts: dict[str, list[str]] = {}
    for host, _, device in devices:
        hosts.setdefault(host, []).append(device)
    parts = [f"{host} {_counted(processes)}" for host, processes in hosts.items()]
    line = f"Processes   {len(devices)}: {' · '.join(parts)}"
    for name, label in ((MetricName.GPU, "GPU"), (MetricName.GPU_MEMORY, "memory")):
        values = [measured.last(f"{name}/{number}") for number in range(MOST_GPUS)]
        known = " ".join(f"{value:.0f}" for value in values if value is not None)
        line += f"  {label} {known} %" if known else ""
    return line


def _counted(devices: list[str]) -> str:
    """`cuda:0 cuda:1`, or `cpu ×2`."""
    counts = Counter(devices)
    return " ".join(f"{device} ×{count}" if count > 1 else device for device, count in counts.items())


def phase_progress(run: Run) -> tuple[str, int, int, str]:
    """(label, done, total, unit) of the current phase; while training, of the current epoch."""
    per_epoch = (run.engine or {}).get("steps_per_epoch") or 0
    if run.phase == Phase.TRAINING and per_epoch:
        step = run.step or 0
        # the last step of an epoch belongs to it
        before = max(step - 1, 0) // per_epoch
        label = f"epoch {before + 1}/{run.recipe.epochs}"
        return label, step - before * per_epoch, per_epoch, "steps"
    label = run.phase or run.status
    if run.phase in _NOT_COUNTED:
        return label, 0, 0, ""
    return label, run.progress_done or 0, run.progress_total or 0, run.progress_unit or ""


def seconds_left(run: Run) -> float | None:
    """Seconds of training left, from the run's throughput, until its progress gives an estimate."""
    engine, speed = run.engine, run.tokens_per_second
    if not engine or not speed or not run.total_steps:
        return None
    chunks = engine.get("batch_size", 0) * engine.get("gradient_accumulation", 1) * engine.get("processes", 1)
    if engine.get("devices"):  # a run whose recipe means the batch of all processes
        chunks = (run.recipe.batch_size or 0) * (run.recipe.gradient_accumulation or 1)
    tokens = chunks * (run.recipe.chunk_size or 0)
    return (run.total_steps - (run.step or 0)) * tokens / speed if tokens else None


def waiting_text(run: Run) -> str:
    """The chart's text while there is nothing to draw."""
    if waits := waiting_for(run):
        return f"Waiting: {printable(waits.partition('; ')[0])}."
    if run.status == Status.QUEUED:
        return "Waiting for the worker to start."
    if run.status == Status.RUNNING:
        return f"No measurements yet: {run.phase or 'starting'}."
    return "The run ended before any measurement."


def panels_of(measured: Measurements) -> list[Panel]:
    """A panel for each metric of the run."""
    panels = []
    for name in PANELS:
        if points := measured.points(name):
            value = f"{numbers.measured(name, points[-1][1])} {name.unit}".rstrip()
            panels.append(Panel(name.label, value, points, 0.0 if name.highest else None, name.highest))
    return panels


def phases_line(run: Run, measured: Measurements, now: float) -> str:
    """The time each phase has taken so far; phases that took no time are left out."""
    seconds = dict(measured.seconds)
    began = measured.phase_ended_at
    if run.status == Status.RUNNING and run.phase and began:
        seconds[run.phase] = seconds.get(run.phase, 0.0) + max(now - began, 0.0)
    told = [
        f"{phase} {numbers.duration(seconds[phase])}" for phase in Phase if seconds.get(phase, 0.0) >= 0.5
    ]
    return f"Phases: {' · '.join(told)}" if told else ""
