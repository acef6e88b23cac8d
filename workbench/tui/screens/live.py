"""One run while it happens: curves, figures, progress, log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from workbench.store import ACTIVE
from workbench.text import printable
from workbench.tui import actions, figures
from workbench.tui.measurements import CURVES, FIGURES, Measurements
from workbench.tui.screens.base import TitleBar, WorkbenchScreen
from workbench.tui.status import RESUMABLE, mark
from workbench.tui.widgets.chart import Chart
from workbench.tui.widgets.log_tail import LogTail
from workbench.tui.widgets.progress import Pace, ProgressLine
from workbench.tui.widgets.run_columns import elapsed, short_name

if TYPE_CHECKING:
    from workbench.store import Metric, Run

_NOT_COUNTED = ("starting", "loading model", "saving")


@dataclass(frozen=True, slots=True)
class Look:
    """What one reading of the store gave. `metrics` are those after the cursor."""

    run: Run
    metrics: list[Metric]


class LiveScreen(WorkbenchScreen):
    """Watches one run. Leaving it, or the program, does the run no harm."""

    CSS_PATH = "live.tcss"
    TITLE = "Live"
    HELP = """
One run, live or past. ● is test perplexity, always on the same masks; the line is train perplexity as
training goes; the dashed line is the model before any training. Steps are optimizer steps.

Stop ends the run after the step under way and keeps a checkpoint, so nothing is lost. A run goes on when
you leave this screen or the program.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left", "app.leave_screen", "Back", key_display="Esc", tooltip="Back to the list"),
        Binding("y", "axis", "Log/lin", tooltip="Logarithmic or linear perplexity axis"),
        Binding("s", "smooth", "Smooth", tooltip="Smooth the train curve, or show it as measured"),
        Binding("l", "log", "Log", tooltip="More log or more curve"),
        Binding("c", "console", "Fill", tooltip="Fill masks with the newest checkpoint; training goes on"),
        Binding("x", "stop", "Stop", tooltip="Stop this run; a checkpoint is kept"),
        Binding("r", "resume", "Resume", tooltip="Go on from the last checkpoint of a stopped run"),
        Binding("d", "delete", "Delete", tooltip="Delete this run, its checkpoints and its log (asks)"),
        Binding("question_mark,f1", "help", "Help", key_display="?", tooltip="All keys of this screen"),
        Binding("q", "app.leave", "Quit", tooltip="Leave; running trainings go on"),
        Binding("j,down", "scroll_log(1)", show=False, tooltip="Log one line down"),
        Binding("k,up", "scroll_log(-1)", show=False, tooltip="Log one line up"),
    ]

    def __init__(self, run_id: int) -> None:
        super().__init__()
        self.run_id = run_id
        self.run_now: Run | None = None
        self._measured = Measurements()
        self._smoothed = False
        self._phase_pace: Pace | None = None
        self._run_pace: Pace | None = None
        self._figures = ""
        self._problem = ""

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield Static("", id="figures", markup=False)
        yield Chart()
        yield Static("", id="problem", markup=False)
        with Vertical(id="progress"):
            yield ProgressLine(id="phase")
            yield ProgressLine(id="overall")
        yield LogTail(id="log")
        yield Footer(compact=True, show_command_palette=False)  # its keys fill 80 columns

    def on_mount(self) -> None:
        clock = self.workbench.clock
        self._phase_pace, self._run_pace = Pace(clock), Pace(clock)
        self.query_one(LogTail).can_focus = False

    def read(self) -> Look:
        store = self.workbench.store
        run = store.run(self.run_id)
        if run.segment != self._measured.segment:
            self._measured.start_over(run.segment)
        return Look(run, store.metrics(self.run_id, (*CURVES, *FIGURES), after=self._measured.cursor))

    def show(self, data: Look) -> None:
        run = data.run
        before, self.run_now = self.run_now, run
        self._measured.add(data.metrics)
        self.query_one(TitleBar).show(*title_of(run))
        chart = self.query_one(Chart)
        chart.say_when_empty(waiting_text(run))
        chart.show(self._measured.series(baseline=run.baseline_perplexity, smoothed=self._smoothed))
        self._show_figures(run)
        self._show_progress(run)
        self._show_problem(run)
        if run.folder:
            self.query_one(LogTail).follow(Path(run.folder) / "worker.log")
        if before is None or before.status != run.status or before.checkpoint != run.checkpoint:
            self.refresh_bindings()

    def _show_figures(self, run: Run) -> None:
        wanted = "\n".join(figure_lines(run, self._measured))
        if wanted != self._figures:
            self._figures = wanted
            self.query_one("#figures", Static).update(wanted)

    def _show_problem(self, run: Run) -> None:
        wanted = ""
        if run.error:
            after = " — r resumes it." if run.status in RESUMABLE else ""
            error = printable(run.error, keep_newlines=True)
            wanted = f"✗ {error} {printable(run.error_hint or '')}{after}"
        if wanted != self._problem:
            self._problem = wanted
            self.query_one("#problem", Static).update(wanted)
            self.set_class(bool(wanted), "-problem")

    def _show_progress(self, run: Run) -> None:
        assert self._phase_pace and self._run_pace
        phase, overall = self.query_one("#phase", ProgressLine), self.query_one("#overall", ProgressLine)
        self.set_class(run.status not in ACTIVE, "-ended")
        total, step = run.total_steps or 0, run.step or 0
        took = f"after {figures.duration(elapsed(run, self.workbench.clock()))}"
        if run.status not in ACTIVE:
            overall.show(run.status, step, total, "steps", None, took)
            return
        label, done, of, unit = phase_progress(run)
        phase_eta = self._phase_pace.look((run.segment, label), done, of)
        phase.show(label, done, of, unit, phase_eta)
        # From the first step on: what came before it says nothing about the speed of training.
        run_eta = (self._run_pace.look(run.segment, step, total) or seconds_left(run)) if step else None
        overall.show("overall", step, total, "steps", run_eta, "" if step else took)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        run = self.run_now
        if action not in ("stop", "resume", "delete", "console"):
            return True
        if run is None:
            return False
        if action == "stop":
            # Of the two keys that exclude each other only the one that works is in the footer.
            return run.status in ACTIVE
        if action == "resume":
            return run.status in RESUMABLE
        if action == "console":
            return bool(run.checkpoint)
        return run.status not in ACTIVE

    def action_axis(self) -> None:
        chart = self.query_one(Chart)
        chart.log_axis = not chart.log_axis

    def action_smooth(self) -> None:
        self._smoothed = not self._smoothed
        self.tell("Train curve smoothed." if self._smoothed else "Train curve as measured.")
        self.reload()

    def action_log(self) -> None:
        self.toggle_class("-log")

    def action_scroll_log(self, by: int) -> None:
        self.query_one(LogTail).scroll_relative(y=by, animate=False)

    def action_console(self) -> None:
        self.workbench.open_console(self.run_now)

    def action_stop(self) -> None:
        if self.run_now:
            actions.stop(self, self.run_now)

    def action_resume(self) -> None:
        if self.run_now:
            actions.resume(self, self.run_now)

    def action_delete(self) -> None:
        if self.run_now:
            actions.delete(self, self.run_now, then=self.workbench.action_leave_screen)

    def action_help(self) -> None:
        self.workbench.open_help()


def title_of(run: Run) -> tuple[str, ...]:
    """Name and status on the left; what it is made of on the right."""
    recipe = run.recipe
    doing = f", {run.phase}" if run.status == "running" and run.phase else ""
    left = f"{mark(run.status).symbol} {run.id} {run.name}  {run.status}{doing}"
    return (
        left,
        f"chunk {recipe.get('chunk_size')}",
        f"mask {figures.decimal(recipe.get('mask_prob'))}",
        short_name(str(recipe.get("model"))),
        short_name(str(recipe.get("dataset"))),
    )


def figure_lines(run: Run, measured: Measurements) -> list[str]:
    """Two lines of figures: what it came to, and how it is going."""
    test, baseline = run.eval_perplexity, run.baseline_perplexity
    first = [f"test {figures.perplexity(test)}", f"best {figures.perplexity(run.best_eval_perplexity)}"]
    first.append(f"train {figures.perplexity(run.train_perplexity)}")
    times = f" (÷{baseline / test:,.0f})" if baseline and test and baseline / test >= 1.5 else ""
    first.append(f"before training {figures.perplexity(baseline)}{times}")
    wanted = run.recipe.get("epochs")
    second = [f"epoch {run.epoch or 0:.1f}/{wanted}"]
    loss, rate = measured.last("train/loss"), measured.last("train/learning_rate")
    norm = measured.last("train/grad_norm")
    second.append(f"loss {loss:.3f}" if loss is not None else f"loss {figures.NOTHING}")
    second.append(f"{figures.compact(run.tokens_per_second)} tokens/s")
    second.append(f"lr {figures.decimal(rate)}")
    if norm is not None:
        second.append(f"grad norm {norm:.2f}")
    if run.engine:
        second.append(f"{run.engine.get('device')} {run.engine.get('precision')}")
    return ["Perplexity  " + "  ".join(first), "Training    " + "  ".join(second)]


def phase_progress(run: Run) -> tuple[str, int, int, str]:
    """(label, done, total, unit) of what is going on now; within training that is the epoch."""
    per_epoch = (run.engine or {}).get("steps_per_epoch") or 0
    if run.phase == "training" and per_epoch:
        step = run.step or 0
        # The last step of an epoch still belongs to it.
        before = max(step - 1, 0) // per_epoch
        label = f"epoch {before + 1}/{run.recipe.get('epochs')}"
        return label, step - before * per_epoch, per_epoch, "steps"
    label = run.phase or run.status
    if run.phase in _NOT_COUNTED:
        return label, 0, 0, ""
    return label, run.progress_done or 0, run.progress_total or 0, run.progress_unit or ""


def seconds_left(run: Run) -> float | None:
    """Seconds of training left by the run's own throughput, before there is a pace to go by."""
    engine, speed = run.engine, run.tokens_per_second
    if not engine or not speed or not run.total_steps:
        return None
    chunks = engine.get("batch_size", 0) * engine.get("gradient_accumulation", 1) * engine.get("processes", 1)
    tokens = chunks * run.recipe.get("chunk_size", 0)
    return (run.total_steps - (run.step or 0)) * tokens / speed if tokens else None


def waiting_text(run: Run) -> str:
    """What the chart says while there is nothing to draw."""
    if run.status == "queued":
        return "Waiting for its worker to start."
    if run.status == "running":
        return f"No measurement yet: {run.phase or 'starting'}."
    return "It ended before anything was measured."
