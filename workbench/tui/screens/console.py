"""Fill masks with a run's model, beside the model it started from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Footer, Input

from workbench.errors import UsageError, WorkbenchError
from workbench.tui.screens.base import TitleBar, WorkbenchScreen
from workbench.tui.screens.pick_model import Picked, PickModel
from workbench.tui.widgets.fill_pane import FillPane
from workbench.tui.widgets.history import History

if TYPE_CHECKING:
    from workbench.inference.results import FillResult
    from workbench.store import Fill, Run

MASK = "[MASK]"
TOP_K = (5, 10, 20)
EMPTY = """\
Type a sentence with [MASK] where a word is missing, and press Enter.
Ctrl+T puts [MASK] at the cursor; several are fine.

For example:  The [MASK] of the list is returned as an [MASK]."""
LOADING = "Loading the model… the first answer takes a few seconds."


@dataclass(frozen=True, slots=True)
class Source:
    """Whom to ask: a run's newest checkpoint, or a model by name."""

    run_id: int | None
    model: str | None
    label: str

    @classmethod
    def of_run(cls, run: Run) -> Source:
        return cls(run.id, None, f"{run.id} {run.name}")

    @classmethod
    def of_model(cls, model: str) -> Source:
        return cls(None, model, model)


class ConsoleScreen(WorkbenchScreen):
    """An input line, one or two models' answers, and what was asked before."""

    CSS_PATH = "console.tcss"
    TITLE = "Fill masks"
    HELP = """
Write [MASK] where a word is missing, in the way of any model: it becomes the model's own mask. Each bar is
the probability of that word in that place, the other masks being masked as well.

The model on the right is the one that the run started from, so you see what training changed. Up and
down bring back what was asked before, also from other days.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "mask", "[MASK]", tooltip="Put [MASK] at the cursor"),
        Binding("up", "older", "History", key_display="↑↓", tooltip="What was asked before", priority=True),
        Binding("down", "newer", show=False, tooltip="What was asked after", priority=True),
        Binding("ctrl+r", "pick", "Model", tooltip="Choose the run or model to ask"),
        Binding("ctrl+o", "base", "Base", tooltip="The base model beside it, or not"),
        Binding("ctrl+n", "top_k", "Top k", tooltip="Show 5, 10 or 20 words for each mask"),
        Binding("pageup", "scroll(-5)", show=False, tooltip="Answers up"),
        Binding("pagedown", "scroll(5)", show=False, tooltip="Answers down"),
        Binding("escape", "app.leave_screen", "Back", key_display="Esc", tooltip="Back to the screen before"),
        Binding("f1", "help", "Help", key_display="F1", tooltip="All keys of this screen"),
    ]

    def __init__(self, source: Source, base: Source | None) -> None:
        super().__init__()
        self._source, self._base = source, base
        self._beside = base is not None
        self._top_k = TOP_K[0]
        self._asked = ""
        self._history: History | None = None

    def compose(self) -> ComposeResult:
        yield TitleBar()
        line = Input(placeholder=f"a sentence with {MASK}", select_on_focus=False, id="line")
        line.cursor_blink = False
        yield line
        with Horizontal(id="panes"):
            yield FillPane(id="main")
            yield FillPane(id="base")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#line", Input).focus()
        self.query_one("#main", FillPane).say(EMPTY)
        self._name_panes()
        self._warm_up()

    def read(self) -> list[Fill]:
        return self.workbench.store.fills()

    def show(self, data: list[Fill]) -> None:
        if self._history is not None:
            return  # later changes of the store are this console's own
        ordered = data[::-1]  # they come newest first
        self._history = History(fill.text for fill in ordered)
        line = self.query_one("#line", Input)
        last = next((fill for fill in reversed(ordered) if fill.model == self._source.label), None)
        if last and not self._asked and not line.value:
            line.value = last.text
            line.cursor_position = len(last.text)
            self.query_one("#main", FillPane).show_result(last.result)
            self.query_one("#base", FillPane).say("Enter asks again, both models.")

    def _name_panes(self) -> None:
        self.query_one("#main", FillPane).name_model(self._source.label)
        base = self.query_one("#base", FillPane)
        base.display = self._beside and self._base is not None
        if self._base:
            base.name_model(f"{self._base.label} (base)")
        self.query_one(TitleBar).show("Fill masks", f"top {self._top_k}", "Enter fills")

    def _warm_up(self) -> None:
        """Load the models while the person is still typing."""
        for source in self._sources():
            self.run_worker(self._warm(source), group="warm")

    async def _warm(self, source: Source) -> None:
        try:
            await self._ask(source, MASK, 1)
        except WorkbenchError:
            return  # it will be said when something is asked

    def _sources(self) -> list[Source]:
        return [self._source, *([self._base] if self._beside and self._base else [])]

    async def _ask(self, source: Source, text: str, top_k: int) -> FillResult:
        from workbench.inference.resolve import resolve_model

        run = str(source.run_id) if source.run_id is not None else None
        choice = await asyncio.to_thread(resolve_model, self.workbench.store, run, source.model)
        return await self.workbench.inference.fill(choice.path, text, top_k)

    def on_input_submitted(self) -> None:
        self.action_submit()

    def action_submit(self) -> None:
        text = self.query_one("#line", Input).value.strip()
        if not text:
            return
        self._asked = text
        panes = ("main", "base")
        for name, source in zip(panes, self._sources(), strict=False):
            pane = self.query_one(f"#{name}", FillPane)
            self.run_worker(self._fill(pane, source, text), group=f"fill-{name}", exclusive=True)
        if self._history is not None:
            self._history.add(text)

    async def _fill(self, pane: FillPane, source: Source, text: str) -> None:
        # Only an answer that takes long is announced: else the pane would flash at each Enter.
        announced = self.set_timer(0.4, lambda: pane.say(LOADING))
        try:
            result = await self._ask(source, text, self._top_k)
        except WorkbenchError as error:
            announced.stop()
            pane.say(f"✗ {error.message}\n{error.hint}")
            return
        finally:
            announced.stop()
        pane.show_result(result.to_json(), result.notes)
        if pane.id == "main":
            await self._remember(source, text, result.to_json())

    async def _remember(self, source: Source, text: str, result: Mapping[str, Any]) -> None:
        store = self.workbench.store
        try:
            await asyncio.to_thread(
                store.add_fill, model=source.label, run_id=source.run_id, text=text, result=dict(result)
            )
        except WorkbenchError as error:
            self.tell_error(error)

    def action_mask(self) -> None:
        self.query_one("#line", Input).insert_text_at_cursor(MASK)

    def action_older(self) -> None:
        self._recall(older=True)

    def action_newer(self) -> None:
        self._recall(older=False)

    def _recall(self, *, older: bool) -> None:
        if self._history is None:
            return
        line = self.query_one("#line", Input)
        line.value = self._history.older(line.value) if older else self._history.newer(line.value)
        line.cursor_position = len(line.value)

    def action_base(self) -> None:
        if self._base is None:
            self.tell("There is no base model to set beside a model that is not a run's.")
            return
        self._beside = not self._beside
        self._name_panes()
        if self._beside and self._asked:
            self.action_submit()

    def action_top_k(self) -> None:
        self._top_k = TOP_K[(TOP_K.index(self._top_k) + 1) % len(TOP_K)]
        self._name_panes()
        if self._asked:
            self.action_submit()

    def action_scroll(self, lines: int) -> None:
        for pane in self.query(FillPane):
            pane.scroll_relative(y=lines, animate=False)

    def action_pick(self) -> None:
        self.app.push_screen(PickModel(self.workbench.store), self._picked)

    def _picked(self, picked: Picked | None) -> None:
        if picked is None:
            return
        self._source, self._base = sources_of(picked.run) if picked.run else model_alone(picked.model)
        self._beside = self._base is not None
        self._name_panes()
        self.query_one("#base", FillPane).say("")
        self._warm_up()
        if self._asked:
            self.action_submit()
        else:
            self.query_one("#main", FillPane).say(EMPTY)

    def action_help(self) -> None:
        self.workbench.open_help()


def sources_of(run: Run) -> tuple[Source, Source | None]:
    """A run and the model that it started from."""
    return Source.of_run(run), Source.of_model(str(run.recipe.get("model", "")))


def model_alone(model: str | None) -> tuple[Source, None]:
    """A model that is nobody's run, with nothing beside it."""
    if not model:
        raise UsageError("No model was chosen.")
    return Source.of_model(model), None
