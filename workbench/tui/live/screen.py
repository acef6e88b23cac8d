"""One run, live or ended: curves, metrics, progress, log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from workbench.caveats import warnings_of
from workbench.display import numbers
from workbench.display.measurements import (
    LONG,
    SMOOTHING,
    ZOOM,
    Measurements,
    Past,
)
from workbench.display.run import elapsed
from workbench.display.where import engine_line
from workbench.metrics import CURVES, OF_GPUS, PANELS, TIMES
from workbench.status import ACTIVE, RESUMABLE
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.live.log_search import LogSearch
from workbench.tui.live.log_tail import LogTail
from workbench.tui.live.panels import Panels
from workbench.tui.live.progress import ProgressLine, TimeLeft
from workbench.tui.live.text import (
    figure_lines,
    panels_of,
    phase_progress,
    phases_line,
    processes_line,
    seconds_left,
    title_of,
    waiting_text,
)
from workbench.tui.screen import TitleBar, WorkbenchScreen
from workbench.tui.widgets import job_actions, run_jobs
from workbench.tui.widgets.chart import Chart
from workbench.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from workbench.store import Metric, Run

_DECIDING = ("status", "checkpoint", "job")
"""Columns on which it depends which keys there are."""
_TALL = 34
"""Terminal height from which the panels are shown by default."""


@dataclass(frozen=True, slots=True)
class Look:
    """The result of one read of the store. `metrics` are those after the cursor, or after `past`."""

    run: Run
    past: Past | None
    metrics: list[Metric]


class LiveScreen(WorkbenchScreen):
    """Watches one run. Leaving the screen or the program does not affect the run."""

    CSS_PATH = "screen.tcss"
    TITLE = "Live"
    HELP = """
One run, live or ended. ● is test perplexity, always on the same masks; the line is train perplexity; the
dashed line is the model before training (left out when zoomed in). Steps are optimizer steps. A panel's
sparkline shows the highest value in each of its cells.

Stop ends the run after the current step and saves a checkpoint, so nothing is lost. A run continues when you
leave this screen or quit the program.
"""
    BINDINGS: ClassVar[list[BindingType]] = bindings("live")

    def __init__(self, run_id: int) -> None:
        super().__init__()
        self.run_id = run_id
        self.run_now: Run | None = None
        self._measured = Measurements()
        self._smoothing = self._zoom = 0
        self._wants_panels: bool | None = None
        self._phase_time = TimeLeft(lambda: self.workbench.clock())
        self._run_time = TimeLeft(lambda: self.workbench.clock())
        self._figures = ""
        self._problem = ""
        self._engine = ""
        self._processes = ""

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield Static("", id="figures", markup=False)
        yield Static("", id="engine", markup=False)
        yield Static("", id="processes", markup=False)
        yield Chart()
        yield Static("", id="problem", markup=False)
        with Vertical(id="progress"):
            yield ProgressLine(id="phase")
            yield ProgressLine(id="overall")
        yield Panels()
        yield LogTail(id="log")
        yield LogSearch()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(LogTail).can_focus = False

    def read(self) -> Look:
        store = self.workbench.store
        run = store.run(self.run_id)
        past = None
        if run.segment != self._measured.segment:
            is_first = self.run_now is None and (run.step or 0) > LONG
            past = (
                Past.sketched(store, self.run_id, run.step or 0)
                if is_first
                else Past.read(store, self.run_id)
            )
        cursor = past.cursor if past else self._measured.cursor
        return Look(run, past, store.metrics(self.run_id, (*CURVES, *PANELS, *OF_GPUS, *TIMES), after=cursor))

    def show(self, data: Look) -> None:
        run = data.run
        before, self.run_now = self.run_now, run
        if data.past:
            self._measured.begin(data.past, None if data.past.is_sketch else run.segment)
            if data.past.is_sketch:
                self.call_after_refresh(self.reload)
        self._measured.add(data.metrics)
        self.query_one(TitleBar).show(*title_of(run, self.workbench.standstills.get(self.run_id, "")))
        chart = self.query_one(Chart)
        chart.say_when_empty(waiting_text(run))
        self._show_curves(run)
        self._show_panels(run)
        self._show_figures(run)
        self._show_engine(run)
        self._show_processes(run)
        self._show_progress(run)
        self._show_problem(run)
        if run.folder:
            self.query_one(LogTail).follow(Path(run.folder) / "worker.log")
        if before is None or any(getattr(before, name) != getattr(run, name) for name in _DECIDING):
            self.refresh_bindings()

    def _show_curves(self, run: Run) -> None:
        self.query_one(Chart).show(
            self._measured.series(
                baseline=run.baseline_perplexity,
                smoothing=SMOOTHING[self._smoothing],
                part=ZOOM[self._zoom],
            )
        )

    def _show_panels(self, run: Run) -> None:
        wanted = self.size.height >= _TALL if self._wants_panels is None else self._wants_panels
        self.set_class(wanted, "-panels")
        # If both do not fit, the panels replace the log.
        self.set_class(self.size.height < _TALL, "-short")
        if wanted:
            line = phases_line(run, self._measured, self.workbench.clock())
            self.query_one(Panels).show(panels_of(self._measured), line)

    def on_resize(self) -> None:
        if self.run_now:
            self._show_panels(self.run_now)

    def _show_figures(self, run: Run) -> None:
        wanted = "\n".join(figure_lines(run, self._measured))
        if wanted != self._figures:
            self._figures = wanted
            self.query_one("#figures", Static).update(wanted)

    def _show_engine(self, run: Run) -> None:
        wanted = printable(engine_line(run, self.workbench.clock()))
        if wanted != self._engine:
            self._engine = wanted
            self.query_one("#engine", Static).update(wanted)
            self.set_class(bool(wanted), "-engine")

    def _show_processes(self, run: Run) -> None:
        wanted = printable(processes_line(run, self._measured))
        if wanted != self._processes:
            self._processes = wanted
            self.query_one("#processes", Static).update(wanted)
            self.set_class(bool(wanted), "-processes")

    def _show_problem(self, run: Run) -> None:
        wanted = ""
        if run.error:
            after = " — r resumes it." if run.status in RESUMABLE else ""
            error = printable(run.error, keep_newlines=True)
            wanted = f"✗ {error} {printable(run.error_hint or '')}{after}"
        elif warnings := warnings_of(run):
            wanted = "\n".join(f"! {printable(warning)}" for warning in warnings)
        if wanted != self._problem:
            self._problem = wanted
            self.query_one("#problem", Static).update(wanted)
            self.set_class(bool(wanted), "-problem")

    def _show_progress(self, run: Run) -> None:
        phase, overall = self.query_one("#phase", ProgressLine), self.query_one("#overall", ProgressLine)
        self.set_class(run.status not in ACTIVE, "-ended")
        total, step = run.total_steps or 0, run.step or 0
        took = f"after {numbers.duration(elapsed(run, self.workbench.clock()))}"
        if run.status not in ACTIVE:
            overall.show(run.status, step, total, "steps", None, took)
            return
        label, done, of, unit = phase_progress(run)
        phase_eta = self._phase_time.look((run.segment, label), done, of)
        phase.show(label, done, of, unit, phase_eta)
        # From the first step on: the time before it says nothing about the speed of training.
        run_eta = (self._run_time.look(run.segment, step, total) or seconds_left(run)) if step else None
        overall.show("overall", step, total, "steps", run_eta, "" if step else took)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        run = self.run_now
        if run is None:
            # A key may be pressed before the run is read; its action reads it first.
            return action not in ("resume", "delete", "cancel", "requeue", "script")
        if action == "stop":
            # Only one of the two is possible, and the footer shows only that one.
            return run.status in ACTIVE
        if action == "resume":
            return run.status in RESUMABLE
        if action in ("cancel", "requeue", "script"):
            return job_actions.can(action, run)
        if action == "console":
            return bool(run.checkpoint)
        if action == "find_next":
            return self.query_one(LogSearch).is_open
        return action != "delete" or run.status not in ACTIVE

    def action_back(self) -> None:
        if self.query_one(LogSearch).is_open:
            self.query_one(LogSearch).action_close()
        else:
            self.workbench.action_leave_screen()

    def action_axis(self) -> None:
        chart = self.query_one(Chart)
        chart.log_axis = not chart.log_axis

    def action_smooth(self, by: int) -> None:
        self._smoothing = (self._smoothing + by) % len(SMOOTHING)
        weight = SMOOTHING[self._smoothing]
        self.tell(f"Train curve smoothed, weight {weight:g}." if weight else "Train curve as measured.")
        if self.run_now:
            self._show_curves(self.run_now)

    def action_zoom(self, by: int) -> None:
        self._zoom = (self._zoom + by) % len(ZOOM)
        part = ZOOM[self._zoom]
        self.tell("The whole run." if part == 1 else f"The last {part:.0%} of the run.")
        if self.run_now:
            self._show_curves(self.run_now)

    def action_panels(self) -> None:
        self._wants_panels = not self.has_class("-panels")
        if self.run_now:
            self._show_panels(self.run_now)

    def action_log(self) -> None:
        self.toggle_class("-log")

    def action_scroll_log(self, by: int) -> None:
        self.query_one(LogTail).scroll_relative(y=by, animate=False)

    def action_log_end(self, by: int) -> None:
        log = self.query_one(LogTail)
        log.scroll_end(animate=False) if by > 0 else log.scroll_home(animate=False)

    def action_find(self) -> None:
        self.add_class("-log", "-searching")
        self.query_one(LogSearch).open()

    def on_log_search_wanted(self, event: LogSearch.Wanted) -> None:
        self.set_focus(None)  # so that n and N are keys and not letters
        self._say_place(*self.query_one(LogTail).find(event.text))
        self.refresh_bindings()

    def on_log_search_closed(self) -> None:
        self.set_focus(None)
        self.query_one(LogTail).find("")
        self.remove_class("-log", "-searching")

    def action_find_next(self, by: int) -> None:
        self._say_place(*self.query_one(LogTail).find_next(by))

    def _say_place(self, place: int, of: int) -> None:
        said = f"line {place} of {of}  n N  Esc" if of else "no match  Esc"
        self.query_one(LogSearch).tell(said)

    def action_console(self) -> None:
        async def job() -> None:
            # Read the run again: it may have a new checkpoint.
            run = await asyncio.to_thread(self.workbench.store.run, self.run_id)
            if run.checkpoint:
                self.workbench.open_console(run)
            else:
                self.tell("This run has no checkpoint yet.", warning=True)

        self.in_background(job)

    def action_stop(self) -> None:
        async def job() -> None:
            run_jobs.stop(self, await asyncio.to_thread(self.workbench.store.run, self.run_id))

        self.in_background(job)

    def action_resume(self) -> None:
        if self.run_now:
            run_jobs.resume(self, self.run_now)

    def action_cancel(self) -> None:
        if self.run_now:
            job_actions.cancel(self, self.run_now)

    def action_requeue(self) -> None:
        if self.run_now:
            job_actions.requeue(self, self.run_now)

    def action_script(self) -> None:
        if self.run_now:
            job_actions.show_script(self, self.run_now)

    def action_delete(self) -> None:
        if self.run_now:
            run_jobs.delete(self, self.run_now, then=self.workbench.action_leave_screen)
