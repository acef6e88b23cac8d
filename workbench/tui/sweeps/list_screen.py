"""All sweeps: their progress, and their best recipes so far."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from workbench.display import numbers
from workbench.display.status import sweep_word
from workbench.status import SweepState
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.screen import TitleBar, WorkbenchScreen
from workbench.tui.sweeps import jobs
from workbench.tui.sweeps.reader import SweepLine, SweepList, SweepReader
from workbench.tui.widgets.key_footer import KeyFooter

EMPTY = """\
No sweeps yet. A sweep trains a grid of recipes, one after another.

Press  n  for the form, and type a list into a field,
for example 64,128,256 at Chunk size, and 3 at Seeds.
Ctrl+S queues it; it continues when you quit."""
_NUMBERS = ("done", "running", "waiting", "failed")
_SYMBOLS: dict[str, str] = {SweepState.RUNNING: "▶", SweepState.PAUSED: "■", SweepState.DONE: "✓"}


class SweepsScreen(WorkbenchScreen):
    """The list of sweeps."""

    CSS_PATH = "list_screen.tcss"
    TITLE = "Sweeps"
    HELP = """
Runs planned together, newest first. All waiting runs share one queue: one runs at a time, or one per GPU,
whether this program is open or not. K and J move a whole sweep in the queue.

best: the lowest mean perplexity over seeds on the yardstick, one test for all runs, and its recipe. The
sweep's own screen says whether it is better than the others beyond chance.
"""
    BINDINGS: ClassVar[list[BindingType]] = bindings("sweeps")

    def __init__(self) -> None:
        super().__init__()
        self._reader: SweepList | None = None
        self._lines: list[SweepLine] = []

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield Static("", id="head", markup=False)
        yield OptionList(id="sweeps", markup=False)
        with Container(id="empty"):
            yield Static(EMPTY, markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @property
    def current(self) -> SweepLine | None:
        """The sweep under the cursor."""
        at = self.query_one(OptionList).highlighted
        return self._lines[at] if at is not None and at < len(self._lines) else None

    def read(self) -> list[SweepLine]:
        if self._reader is None:
            self._reader = SweepList(self.workbench.store)
        return self._reader.read()

    def show(self, data: list[SweepLine]) -> None:
        before = self._lines
        kept = self.current
        self._lines = data
        self.set_class(not data, "-empty")
        running = sum(line.state == SweepState.RUNNING for line in data)
        count = f"{len(data)} sweep{'' if len(data) == 1 else 's'}"
        self.query_one(TitleBar).show("Sweeps", *([f"{running} running"] if running else []), count)
        if before != data:
            self._fill(before, kept)
        self.refresh_bindings()

    def _fill(self, before: list[SweepLine], kept: SweepLine | None) -> None:
        """Update the lines that changed; all of them if the sweeps did."""
        shown = self.query_one(OptionList)
        width = max(self.size.width - 4, 20)
        self.query_one("#head", Static).update(_head(width))
        if [line.id for line in before] == [line.id for line in self._lines] and shown.option_count:
            for at, (old, new) in enumerate(zip(before, self._lines, strict=True)):
                if old != new:
                    shown.replace_option_prompt_at_index(at, _row(new, width))
            return
        shown.clear_options()
        shown.add_options([Option(_row(line, width)) for line in self._lines])
        ids = [line.id for line in self._lines]
        if ids:
            shown.highlighted = ids.index(kept.id) if kept and kept.id in ids else 0

    def on_resize(self) -> None:
        kept = self.current
        self._fill([], kept)

    def on_option_list_option_selected(self) -> None:
        self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        needing = ("open", "pause", "trim", "extend", "shift", "save", "move")
        return bool(self._lines) if action in needing else True

    def action_open(self) -> None:
        if line := self.current:
            self.workbench.open_sweep(line.id)

    async def action_new(self) -> None:
        await self.workbench.open_form()

    def action_pause(self) -> None:
        if line := self.current:
            jobs.pause(self, line.id, line.name, line.state)

    def action_trim(self) -> None:
        if line := self.current:
            jobs.trim(self, line.id, f"“{line.name}”", line.counts.waiting)

    def action_extend(self) -> None:
        if line := self.current:
            jobs.extend(self, line.id, line.name, search=line.search)

    def action_shift(self, by: int) -> None:
        if line := self.current:
            jobs.move_sweep(self, line.id, f"“{line.name}”", by)

    def action_save(self) -> None:
        if line := self.current:
            store = self.workbench.store
            jobs.save(self, line.name, lambda: SweepReader(store, line.id).read().table)

    def action_move(self, by: int) -> None:
        shown = self.query_one(OptionList)
        if self._lines:
            shown.highlighted = min(max((shown.highlighted or 0) + by, 0), len(self._lines) - 1)


def _head(width: int) -> Text:
    name, best = _widths(width)
    counts = " ".join(f"{word:>7}" for word in _NUMBERS)
    line = f"  id {numbers.fit('sweep', name)} {'state':<9} {counts}  {numbers.fit('best', best)}"
    return Text(numbers.clip(line, width), "bold", no_wrap=True, end="")


def _row(line: SweepLine, width: int) -> Text:
    name, best = _widths(width)
    state = f"{_SYMBOLS[line.state]} {sweep_word(line.state)}"
    counts = " ".join(f"{getattr(line.counts, word):>7,}" for word in _NUMBERS)
    best_recipe = (
        numbers.NOTHING
        if line.best_perplexity is None
        else f"{numbers.perplexity(line.best_perplexity)} {line.best}"
    )
    text = (
        f"{line.id:>4} {numbers.fit(printable(line.name), name)} {state:<9} {counts}  "
        f"{numbers.fit(printable(best_recipe), best)}"
    )
    return Text(numbers.clip(text, width), no_wrap=True, end="")


def _widths(width: int) -> tuple[int, int]:
    """Widths of the name and of the best recipe."""
    room = max(width - 49, 10)
    name = max(min(room // 2, 24), 5)
    return name, room - name
