"""The first screen: all runs, sortable and filterable, and the actions on them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widgets import Input, Static

from workbench.status import ACTIVE, RESUMABLE, Status
from workbench.tui.actions import bindings
from workbench.tui.runs import edits, text
from workbench.tui.runs.columns import BY_KEY, COLUMNS, Context, order
from workbench.tui.runs.filter import RunFilter, parse
from workbench.tui.runs.filter_line import RunFilterLine
from workbench.tui.runs.header import RunHeader
from workbench.tui.runs.panel import RunPanel
from workbench.tui.runs.reader import Listing, Reading
from workbench.tui.runs.table import RunTable
from workbench.tui.screen import TitleBar, WorkbenchScreen
from workbench.tui.widgets import job_actions, run_jobs
from workbench.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from workbench.store.run_lines import RunLine
    from workbench.tui.runs.details import About

WIDE = 110
"""Terminal width from which the panel is shown beside the list."""
FOOTER_WITH_PALETTE = 92
"""Terminal width from which the footer has room for the palette's key."""
REST = 0.12
"""Seconds that the cursor must rest on a run before its details are read."""
MOST_COMPARED = 8


class RunsScreen(WorkbenchScreen):
    """The list, details of the run under the cursor, and actions on it or on the marked runs."""

    TITLE = "Runs"
    HELP = text.HELP
    BINDINGS: ClassVar[list[BindingType]] = bindings("runs")

    def __init__(self) -> None:
        super().__init__()
        self._reader: Reading | None = None
        self._listing = Listing()
        self._ordered: list[RunLine] = []
        self._shown: list[RunLine] = []
        self._running_count, self._queued_count, self._archived = 0, 0, 0
        self._by_id: dict[int, RunLine] = {}
        self._key, self._descending = "id", True
        self._filter = RunFilter()
        self._show_archived = False
        self._panel_wanted = True
        self._marked: set[int] = set()
        self._sparks: dict[int, str] = {}
        self._footer: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield TitleBar()
        with Horizontal(id="body"):
            with Vertical(id="list"):
                yield RunHeader()
                yield RunTable(id="runs")
                with Container(id="empty"):
                    yield Static(text.EMPTY, markup=False)
            yield RunPanel()
        yield RunFilterLine()
        yield Static("", id="detail", markup=False)
        yield KeyFooter(show_command_palette=True)

    def on_mount(self) -> None:
        self.query_one(RunHeader).show_order(self._key, self._descending)
        self.query_one(TitleBar).show("mlm-workbench", "opening the database")
        self.query_one(RunTable).focus()

    @property
    def current(self) -> RunLine | None:
        """The run under the cursor."""
        chosen = self.query_one(RunTable).current
        return self._by_id.get(chosen) if chosen is not None else None

    @property
    def chosen(self) -> list[RunLine]:
        """The runs that keys act on: the marked ones that are shown, or the one under the cursor."""
        marked = [line for line in self._shown if line.id in self._marked] if self._marked else []
        return marked or ([self.current] if self.current else [])

    def select(self, run_id: int) -> None:
        """Put the cursor on this run."""
        self.query_one(RunTable).select(run_id)

    # Reading

    def read(self) -> Listing:
        if self._reader is None:
            self._reader = Reading(self.workbench.store)
        return self._reader.listing(self.workbench.version)

    def show(self, data: Listing) -> None:
        changed = data.lines != self._listing.lines
        self._listing = data
        if changed:
            self._by_id = {line.id: line for line in data.lines}
            self._marked &= self._by_id.keys()
            self._ordered = order(data.lines, self._key, self._descending)
            self._running_count = sum(line.status == Status.RUNNING for line in data.lines)
            self._queued_count = sum(line.status == Status.QUEUED for line in data.lines)
            self._archived = len([line for line in data.lines if line.archived])
        self._arrange()
        if not data.complete:
            self.call_after_refresh(self.reload)
        elif data.reload_in is not None:
            self.set_timer(data.reload_in, self.reload)

    def touched(self, run_ids: Collection[int]) -> None:
        if self._reader is not None:
            self._reader.touched.update(run_ids)

    def _arrange(self) -> None:
        """Filter the sorted runs, and show them."""
        archived_too = self._show_archived or self._filter.names_archived
        here = self._ordered if archived_too else [line for line in self._ordered if not line.archived]
        self._shown = [line for line in here if self._filter.matches(line)] if self._filter.tests else here
        self._sparks = {key: text for key, text in self._sparks.items() if key in self._by_id}
        context = Context(self.workbench.clock(), self._sparks, self._marked, self.workbench.standstills)
        table = self.query_one(RunTable)
        table.set_lines(self._shown, context, self._listing.widths)
        self.set_class(not self._shown, "-empty")
        if not self._shown:
            self.query_one("#empty Static", Static).update(self._why_empty())
        elif self.focused is None:
            table.focus()  # a hidden table has no focus
        count = f"{len(self._shown):,} of {len(self._ordered):,}"
        self.query_one(RunFilterLine).say(count, "; ".join(self._filter.mistakes))
        self._show_title()
        self._show_current()

    def _why_empty(self) -> str:
        if not self._ordered:
            return text.EMPTY
        hidden = self._archived
        if not self.query_one(RunFilterLine).text.strip():
            return text.ALL_ARCHIVED
        more = f"\nA  includes the {hidden} archived." if hidden else ""
        return text.NOTHING_FOUND.format(archived="" if self._show_archived else more)

    def _show_title(self) -> None:
        marked = len([line for line in self._shown if line.id in self._marked]) if self._marked else 0
        hidden = self._archived if not self._show_archived else 0
        count = len(self._ordered)
        parts = [f"◆ {marked} marked"] if marked else []
        parts += [f"{self._running_count} running"] if self._running_count else []
        parts += [f"{self._queued_count} queued"] if self._queued_count else []
        more = "" if self._listing.complete else ", loading more"
        parts += [f"{count:,} run{'' if count == 1 else 's'}{more}"]
        parts += [f"{hidden} archived"] if hidden else []
        self.query_one(TitleBar).show("mlm-workbench", *parts, self.workbench.store.location)

    # The run under the cursor

    def _show_current(self) -> None:
        line = self.current
        standstill = self.workbench.standstills.get(line.id, "") if line else ""
        wanted = text.detail(line, self.size.width - 2, standstill) if line else Text("")
        shown = self.query_one("#detail", Static)
        if shown.content != wanted:
            shown.update(wanted)
        if self.has_class("-wide"):
            self.query_one(RunPanel).show_line(line, standstill)
            self._read_about()
        names = ("open", "stop", "resume", "delete", "undo", "mark", "compare", "filter", "sort")
        possible = tuple(self.check_action(name, ()) for name in names)
        if possible != self._footer:
            self._footer = possible
            self.refresh_bindings()

    def _read_about(self) -> None:
        line = self.current
        if line is None or self._reader is None or self._reader.knows(line):
            return
        reader = self._reader

        def read() -> None:
            if self.current is not None and self.current.id == line.id:
                reader.about(self, line, self._show_about)

        self.set_timer(REST, read)

    def _show_about(self, about: About) -> None:
        if self.current is not None and self.current.id == about.run.id:
            self.query_one(RunPanel).show_about(about)

    def on_run_table_laid(self, event: RunTable.Laid) -> None:
        self.query_one(RunHeader).lay_out(event.layout)

    def on_run_table_highlighted(self) -> None:
        self._show_current()

    def on_run_table_opened(self, event: RunTable.Opened) -> None:
        self.workbench.open_live(event.run_id)

    def on_run_table_moved(self) -> None:
        if self._reader is not None:
            self._reader.sparks(self, self.query_one(RunTable).in_sight, self._show_sparks)

    def _show_sparks(self, sparks: dict[int, str]) -> None:
        self._sparks.update(sparks)
        self.query_one(RunTable).refresh_changed()

    def on_resize(self) -> None:
        self.query_one(KeyFooter).show_command_palette = self.size.width >= FOOTER_WITH_PALETTE
        self.set_class(self._panel_wanted and self.size.width >= WIDE, "-wide")
        self._show_current()

    # Filter and order

    def on_run_filter_line_changed(self, event: RunFilterLine.Changed) -> None:
        self._filter = parse(event.text)
        self._arrange()

    def on_run_filter_line_left(self) -> None:
        self.query_one(RunTable).focus()

    def on_run_header_clicked(self, event: RunHeader.Clicked) -> None:
        self.sort_by(event.key)

    def sort_by(self, key: str | None) -> None:
        """Sort by a column; by the same one again, reverse. None: leave it."""
        if key is None:
            return
        if key == self._key:
            self._descending = not self._descending
        else:
            self._key, self._descending = key, BY_KEY[key].descends
        self._ordered = order(self._listing.lines, self._key, self._descending)
        self.query_one(RunHeader).show_order(self._key, self._descending)
        self._arrange()

    def commands(self) -> Iterable[SystemCommand]:
        for column in COLUMNS:
            yield SystemCommand(f"Sort by {column.what}", "Key: s", lambda key=column.key: self.sort_by(key))

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "new_run":
            return not isinstance(self.focused, Input)  # in an input it is a letter
        if not self.is_mounted or action not in _NEEDING:
            return True
        if action == "undo":
            return bool(self.workbench.deleted)
        chosen = self.chosen
        if action == "stop":
            return any(line.status in ACTIVE for line in chosen)
        if action == "resume":
            return any(line.status in RESUMABLE for line in chosen)
        if action in _ON_JOBS:
            return any(job_actions.can(action, line) for line in chosen)
        return bool(self._ordered) if action in ("filter", "sort") else bool(chosen)

    def action_open(self) -> None:
        self.query_one(RunTable).action_open()

    async def action_new_run(self) -> None:
        await self.workbench.open_form()

    def action_filter(self) -> None:
        self.query_one(RunFilterLine).open()

    def action_sort(self) -> None:
        from workbench.tui.runs.sort import SortBy

        self.app.push_screen(SortBy(self._key, self._descending), self.sort_by)

    def action_reverse(self) -> None:
        self.sort_by(self._key)

    def action_mark(self) -> None:
        if line := self.current:
            self._marked ^= {line.id}
            self._arrange()
            self.query_one(RunTable).action_move(1)

    def action_mark_all(self) -> None:
        shown = {line.id for line in self._shown}
        self._marked = set() if shown <= self._marked else self._marked | shown
        self._arrange()

    def action_clear(self) -> None:
        line = self.query_one(RunFilterLine)
        if line.text:
            line.clear()
        else:
            self._marked = set()
            self._arrange()

    def action_compare(self) -> None:
        chosen = self.chosen
        if 2 <= len(chosen) <= MOST_COMPARED:
            self.workbench.open_compare([line.id for line in chosen])
        else:
            self.tell(f"Mark 2 to {MOST_COMPARED} runs with space; = compares them.", warning=True)

    def action_console(self) -> None:
        line = self.current
        self.workbench.open_console(self.workbench.store.run(line.id) if line else None)

    def action_stop(self) -> None:
        edits.stop(self, self.chosen)

    def action_resume(self) -> None:
        edits.resume(self, self.chosen)

    def action_cancel(self) -> None:
        if jobs := self._possible("cancel"):
            job_actions.cancel(self, *jobs)

    def action_requeue(self) -> None:
        if jobs := self._possible("requeue"):
            job_actions.requeue(self, *jobs)

    def action_script(self) -> None:
        if (line := self.current) and job_actions.can("script", line):
            job_actions.show_script(self, line)

    def _possible(self, action: str) -> list[RunLine]:
        return [line for line in self.chosen if job_actions.can(action, line)]

    def action_delete(self) -> None:
        run_jobs.delete_all(self, self.chosen)

    def action_undo(self) -> None:
        run_jobs.undo_delete(self)

    def action_star(self) -> None:
        edits.star(self, self.chosen)

    def action_archive(self) -> None:
        edits.archive(self, self.chosen)

    def action_rename(self) -> None:
        if line := self.current:
            edits.rename(self, line)

    def action_tags(self) -> None:
        edits.tags(self, self.chosen)

    def action_note(self) -> None:
        edits.note(self, self.chosen)

    async def action_duplicate(self) -> None:
        if line := self.current:
            await edits.duplicate(self, line)

    def action_show_archived(self) -> None:
        self._show_archived = not self._show_archived
        self.tell("Showing archived runs too." if self._show_archived else "Hiding archived runs.")
        self._arrange()

    def action_panel(self) -> None:
        if self.size.width < WIDE:
            self.tell(f"The panel needs {WIDE} columns; this terminal has {self.size.width}.", warning=True)
            return
        self._panel_wanted = not self._panel_wanted
        self.set_class(self._panel_wanted, "-wide")
        self._show_current()


_ON_ONE = frozenset({"open", "rename", "duplicate", "mark", "mark_all", "filter", "sort", "undo"})
_ON_MANY = frozenset({"stop", "resume", "delete", "compare", "star", "archive", "tags", "note"})
_ON_JOBS = frozenset({"cancel", "requeue", "script"})
_NEEDING = _ON_ONE | _ON_MANY | _ON_JOBS
"""Actions that need a run, or one of a certain status."""
