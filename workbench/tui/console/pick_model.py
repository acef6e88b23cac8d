"""A picker of up to four models: runs' checkpoints, models in the cache or in folders."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.display import numbers
from workbench.errors import WorkbenchError
from workbench.inference.asking import MOST_MODELS
from workbench.store.model_list import SavedModel
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.console.session import Asked, Subject
from workbench.tui.widgets import sources

if TYPE_CHECKING:
    from workbench.store import Store

_MOST_SHOWN = 300
MARK = "✓"


@dataclass(frozen=True, slots=True)
class Picked:
    """The chosen models, and the run that they belong to, if any."""

    models: list[Asked]
    subject: Subject | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the list. `opens`: a folder to open."""

    text: str
    note: str
    asked: Asked
    subject: Subject | None = None
    opens: bool = False


class PickModel(ModalScreen[Picked | None]):
    """Typing filters the list; a path opens folders; text that matches nothing is taken as a model's name."""

    CSS_PATH = "pick_model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("console.pick_model")

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._all: list[Choice] = []
        self._offered: list[Choice] = []
        self._marked: list[Choice] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Choose models", id="title", markup=False)
            line = Input(
                compact=True, placeholder="run, epoch, best; a hub id; or a path: ./ ~/ /", id="filter"
            )
            line.cursor_blink = False
            yield line
            yield OptionList(id="choices", markup=False)
            yield Static("", id="empty", markup=False)
            yield Static("↑↓ move   Tab mark, up to four   Enter choose   Esc back", id="keys", markup=False)

    async def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        try:
            self._all = await asyncio.to_thread(_known, self._store)
        except WorkbenchError as error:
            self.query_one("#empty", Static).update(printable(f"{error.message} {error.hint}"))
        self._offer()

    def _offer(self, *, keep: bool = False) -> None:
        """Show the matches; `keep`: keep the same line highlighted."""
        typed = self.query_one(Input).value.strip()
        if sources.is_path(typed):
            inside = sources.inside("model", typed)
            fitting = [
                Choice(one.value, one.note, Asked.of_model(one.value), opens=one.opens) for one in inside
            ]
        else:
            parts = typed.lower().split()
            fitting = [
                one for one in self._all if all(part in f"{one.text} {one.note}".lower() for part in parts)
            ]
        if typed and not any(one.asked.model == typed for one in fitting):
            fitting.append(Choice(typed, "as typed: a hub id or a folder", Asked.of_model(typed)))
        more = len(fitting) - _MOST_SHOWN
        self._offered = fitting[:_MOST_SHOWN]
        choices = self.query_one(OptionList)
        at = choices.highlighted if keep else 0
        width = max(choices.size.width - 3, 10)
        choices.clear_options()
        choices.add_options([Option(_row(one, one in self._marked, width)) for one in self._offered])
        choices.highlighted = at if self._offered else None
        said = f"and {more:,} more: type to narrow" if more > 0 else ""
        self.query_one("#empty", Static).update(said or ("" if self._offered else "Looking…"))

    def on_resize(self) -> None:
        self._offer(keep=True)

    def on_input_changed(self) -> None:
        self._offer()

    @property
    def _current(self) -> Choice | None:
        at = self.query_one(OptionList).highlighted
        return self._offered[at] if at is not None and self._offered else None

    def on_input_submitted(self) -> None:
        self._take()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.query_one(OptionList).highlighted = event.option_index
        self._take()

    def _take(self) -> None:
        current = self._current
        chosen = self._marked or ([current] if current else [])
        if not self._marked and current and current.opens:
            self._look_into(current)
        elif chosen:
            subjects = {one.subject for one in chosen}
            self.dismiss(
                Picked([one.asked for one in chosen], subjects.pop() if len(subjects) == 1 else None)
            )

    def _look_into(self, folder: Choice) -> None:
        line = self.query_one(Input)
        line.value = folder.text.rstrip("/") + "/"
        line.cursor_position = len(line.value)

    def action_mark(self) -> None:
        current = self._current
        if current is None:
            return
        if current.opens:
            self._look_into(current)
        elif current in self._marked:
            self._marked.remove(current)
            self._offer(keep=True)
        elif len(self._marked) == MOST_MODELS:
            self.app.notify(
                f"{MOST_MODELS} are marked, which is the most that fit side by side.", severity="warning"
            )
        else:
            self._marked.append(current)
            self._offer(keep=True)

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        if self._offered:
            choices.highlighted = min(max((choices.highlighted or 0) + by, 0), len(self._offered) - 1)

    def action_leave(self) -> None:
        self.dismiss(None)


def _known(store: Store) -> list[Choice]:
    """Runs with their checkpoints, their base models, and the models on this machine."""
    found: list[Choice] = []
    saved = store.models.saved()
    for one in saved:
        subject = Subject(one.run_id, one.run, one.base)
        if one.newest:
            note = f"newest, test {numbers.perplexity(one.eval_perplexity)}, on {one.base}"
            found.append(
                Choice(
                    f"run run run {one.run_id} {one.run}", note, Asked.of_run(one.run_id, one.run), subject
                )
            )
        found.append(_of_checkpoint(one, subject))
    bases = {one.base: "base of a run" for one in saved if not one.base.startswith("run:")}
    cached = {
        one.value: one.note for one in sources.known("model", store) if not one.value.startswith("run:")
    }
    found += [Choice(name, note, Asked.of_model(name)) for name, note in {**bases, **cached}.items() if name]
    return found


def _of_checkpoint(one: SavedModel, subject: Subject) -> Choice:
    best = ", best" if one.best else ""
    note = f"step {one.step:,}, test {numbers.perplexity(one.eval_perplexity)}{best}"
    name = f"  run {one.run_id} {one.run}, epoch {one.epoch:.3g}"
    return Choice(name, note, Asked.of_checkpoint(one), subject)


def _row(choice: Choice, marked: bool, width: int) -> Text:
    """Mark, name and note in one line; a long path is cut at its start."""
    room = max((width - 4) * 3 // 5, 8)
    name = printable(choice.text) + ("/" if choice.opens else "")
    if sources.is_path(choice.text) and numbers.cell_len(name) > room:
        name = "…" + numbers.tail(name, room - 1)
    row = Text(f"{MARK if marked else ' '} {numbers.fit(name, room)}  ", no_wrap=True, end="")
    return row.append(numbers.clip(printable(choice.note), width - room - 4), "dim")
