"""The first screen: every run, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Footer, Static

from workbench.store import ACTIVE
from workbench.text import printable
from workbench.tui import actions, figures
from workbench.tui.screens.base import TitleBar, WorkbenchScreen
from workbench.tui.status import RESUMABLE, mark
from workbench.tui.widgets.run_columns import Row, row_of
from workbench.tui.widgets.run_table import RunHeader, RunTable

if TYPE_CHECKING:
    from workbench.store import Run

EMPTY = """\
No runs yet.

Press  n  for a new run: the form comes filled in with the starter,
a small model and text that need no network. Ctrl+S starts it.

Press  c  to fill masks with the starter as it is.
Press  ?  for all keys."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one reading of the store gave."""

    runs: list[Run]
    rows: list[Row]


class RunsScreen(WorkbenchScreen):
    """The list, what is known of the run under the cursor, and the keys that act on it."""

    TITLE = "Runs"
    HELP = """
Every run in this database, newest first. A run is a process of its own: it goes on when you leave this
program, close the terminal or lose the connection, and is here when you come back.

test: perplexity on held-out text at the last evaluation. best: the lowest so far. Lower is better, but
figures at different chunk sizes or mask probabilities answer different questions.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", key_display="Enter", tooltip="Watch the run: curves, progress, log"),
        Binding("n", "new_run", "New", tooltip="Set up and start a new run"),
        Binding("c", "console", "Fill", tooltip="Fill masks with the model of this run"),
        Binding("x", "stop", "Stop", tooltip="Stop this run; a checkpoint is kept"),
        Binding("r", "resume", "Resume", tooltip="Go on from the last checkpoint of a stopped run"),
        Binding("d", "delete", "Delete", tooltip="Delete this run, its checkpoints and its log (asks)"),
        Binding("question_mark,f1", "help", "Help", key_display="?", tooltip="All keys of this screen"),
        Binding("q", "app.leave", "Quit", tooltip="Leave; running trainings go on"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[int, Run] = {}
        self._possible: tuple[bool, ...] = ()

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield RunHeader()
        yield RunTable(id="runs")
        with Container(id="empty"):
            yield Static(EMPTY, markup=False)
        yield Static("", id="detail", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one(RunTable).focus()

    @property
    def current(self) -> Run | None:
        """The run under the cursor."""
        chosen = self.query_one(RunTable).current
        return self._runs.get(chosen) if chosen is not None else None

    def select(self, run_id: int) -> None:
        """Have the cursor on this run when the list is next seen."""
        self.query_one(RunTable).select(run_id)

    def read(self) -> Listing:
        runs = self.workbench.store.runs()
        now = self.workbench.clock()
        return Listing(runs, [row_of(run, now) for run in runs])

    def show(self, data: Listing) -> None:
        self._runs = {run.id: run for run in data.runs if run.id is not None}
        self.query_one(RunTable).set_rows(data.rows)
        self.set_class(not data.rows, "-empty")
        if data.rows and self.focused is None:
            self.query_one(RunTable).focus()  # it had none while it was hidden
        going = sum(run.status in ACTIVE for run in data.runs)
        parts = [f"{going} going"] if going else []
        parts += [f"{len(data.runs)} run{'' if len(data.runs) == 1 else 's'}", self.workbench.store.location]
        self.query_one(TitleBar).show("mlm-workbench", *parts)
        self._show_detail()

    def on_run_table_laid(self, event: RunTable.Laid) -> None:
        self.query_one(RunHeader).lay_out(event.widths)

    def on_run_table_highlighted(self) -> None:
        self._show_detail()

    def on_run_table_opened(self, event: RunTable.Opened) -> None:
        self.workbench.open_live(event.run_id)

    def on_resize(self) -> None:
        self._show_detail()

    def _show_detail(self) -> None:
        run = self.current
        wanted = detail(run, self.size.width - 2) if run else Text("")
        shown = self.query_one("#detail", Static)
        if shown.content != wanted:
            shown.update(wanted)
        possible = tuple(bool(self.check_action(name, ())) for name in ("open", "stop", "resume", "delete"))
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in ("open", "stop", "resume", "delete"):
            return True
        run = self.current if self.is_mounted else None
        if run is None:
            return False
        if action == "stop":
            return run.status in ACTIVE
        if action == "resume":
            return run.status in RESUMABLE
        return run.status not in ACTIVE if action == "delete" else True

    def action_open(self) -> None:
        self.query_one(RunTable).action_open()

    def action_new_run(self) -> None:
        self.workbench.open_form()

    def action_console(self) -> None:
        self.workbench.open_console(self.current)

    def action_stop(self) -> None:
        if run := self.current:
            actions.stop(self, run)

    def action_resume(self) -> None:
        if run := self.current:
            actions.resume(self, run)

    def action_delete(self) -> None:
        if run := self.current:
            actions.delete(self, run)

    def action_help(self) -> None:
        self.workbench.open_help()


def detail(run: Run, width: int) -> Text:
    """Two lines on the run under the cursor: what it is doing and came to, or what went wrong."""
    doing = run.status + (f", {run.phase}" if run.status == "running" and run.phase else "")
    parts = [f"{mark(run.status).symbol} {doing}"]
    if run.step:
        parts.append(f"step {figures.count(run.step)}/{figures.count(run.total_steps)}")
    if run.tokens_per_second:
        parts.append(f"{figures.compact(run.tokens_per_second)} tokens/s")
    if run.baseline_perplexity is not None:
        parts.append(f"test perplexity {figures.perplexity(run.baseline_perplexity)} before training")
    name = figures.clip(printable(run.name), width // 2)
    first = Text(f"{name}  ", style="bold", no_wrap=True, end="")
    first.append(figures.clip(" · ".join(parts), width - first.cell_len), "not bold")
    if run.error:
        second = f"{run.error.partition(chr(10))[0]} {run.error_hint or ''}"
    else:
        recipe = run.recipe
        second = (
            f"{recipe.get('model')} on {recipe.get('dataset')} · batch {recipe.get('batch_size')} · "
            f"learning rate {figures.decimal(recipe.get('learning_rate'))} · seed {recipe.get('seed')}"
        )
    return first.append("\n").append(figures.clip(printable(second), width), "not bold")
