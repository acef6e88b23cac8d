"""What is shown of a run, on a terminal and elsewhere."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from workbench.cli.progress import BarView, LineView
from workbench.status import Status
from workbench.store import Metric, Run


def run_in(phase: str, done: int, total: int, unit: str) -> Run:
    """A running run."""
    progress = {"progress_done": done, "progress_total": total, "progress_unit": unit}
    return Run(
        id=1,
        name="name",
        status=Status.RUNNING,
        phase=phase,
        created_at=0.0,
        tokens_per_second=20_100.0,
        **progress,
    )


def metric(name: str, step: int, value: float) -> Metric:
    return Metric(run_id=1, name=name, step=step, epoch=step / 100, value=value, at=0.0)


def test_bars_show_phase_progress_loss_and_speed() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=120)
    with BarView(console) as view:
        view.say("[red]said")
        view.show(run_in("tokenizing", 1200, 10_000, "documents"), [])
        view._bars.refresh()
        view.show(run_in("training", 30, 100, "steps"), [metric("train/loss", 30, 3.25)])
        view._bars.refresh()
        view.show(run_in("training", 50, 100, "steps"), [metric("eval/perplexity", 50, 75.1)])
    seen = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]said" in seen
    assert "1,200/10,000 documents" in seen
    assert "30/100 steps" in seen and "loss 3.250  20.1k tokens/s" in seen
    assert "epoch 0.50, step 50: test perplexity 75.1" in seen


def test_lines_tell_each_phase_once_and_each_evaluation() -> None:
    console = Console(file=StringIO(), width=80)
    with LineView(console) as view:
        view.show(run_in("baseline", 0, 0, ""), [metric("eval/perplexity", 0, 3512.0)])
        for step in (10, 20):
            view.show(run_in("training", step, 20, "steps"), [])
            view.show(run_in("evaluating", 0, 0, ""), [])
            view.show(run_in("training", step, 20, "steps"), [metric("eval/perplexity", step, 99.0)])
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "before training: test perplexity 3,512",
        "baseline…",
        "training…",
        "epoch 0.10, step 10: test perplexity 99.0",
        "epoch 0.20, step 20: test perplexity 99.0",
    ]
