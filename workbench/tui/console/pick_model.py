"""A picker of up to four models: runs' checkpoints, models in the cache or in folders."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import BindingType

from workbench.display import numbers
from workbench.errors import WorkbenchError
from workbench.inference.query import MOST_MODELS
from workbench.store.model_list import SavedModel
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.console.session import Asked, Subject
from workbench.tui.widgets import sources
from workbench.tui.widgets.picker import Picker, contains, name_and_note

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


class PickModel(Picker[Choice, Picked | None]):
    """Typing filters the list; a path opens folders; text that matches nothing is taken as a model's name."""

    PLACEHOLDER = "run, epoch, best; a hub id; or a path: ./ ~/ /"
    KEYS = "↑↓ move   Tab mark, up to four   Enter choose   Esc back"
    BINDINGS: ClassVar[list[BindingType]] = bindings("console.pick_model")

    def __init__(self, store: Store) -> None:
        super().__init__("Choose models")
        self._store = store
        self._all: list[Choice] = []
        self._marked: list[Choice] = []

    async def on_mount(self) -> None:
        try:
            self._all = await asyncio.to_thread(_choices, self._store)
        except WorkbenchError as error:
            self.tell(f"{error.message} {error.hint}")
        self.offer()

    def matches(self, typed: str) -> tuple[list[Choice], str]:
        if sources.is_path(typed):
            inside = sources.inside("model", typed)
            fitting = [Choice(s.value, s.note, Asked.of_model(s.value), opens=s.opens) for s in inside]
        else:
            fitting = [choice for choice in self._all if contains(f"{choice.text} {choice.note}", typed)]
        if typed and not any(choice.asked.model == typed for choice in fitting):
            fitting.append(Choice(typed, "as typed: a hub id or a folder", Asked.of_model(typed)))
        more = len(fitting) - _MOST_SHOWN
        said = f"and {more:,} more: type to narrow" if more > 0 else "" if fitting else "Looking…"
        return fitting[:_MOST_SHOWN], said

    def row(self, item: Choice, width: int) -> Text:
        name = printable(item.text) + ("/" if item.opens else "")
        room = max((width - 4) * 3 // 5, 8)
        text = name_and_note(name, item.note, width - 2, room, is_path=sources.is_path(item.text))
        return Text(f"{MARK if item in self._marked else ' '} ", no_wrap=True, end="").append_text(text)

    def choose(self, item: Choice | None, typed: str) -> None:
        chosen = self._marked or ([item] if item else [])
        if not self._marked and item and item.opens:
            self.put(item.text.rstrip("/") + "/")
        elif chosen:
            subjects = {choice.subject for choice in chosen}
            subject = subjects.pop() if len(subjects) == 1 else None
            self.dismiss(Picked([choice.asked for choice in chosen], subject))

    def action_mark(self) -> None:
        current = self.current
        if current is None:
            return
        if current.opens:
            self.put(current.text.rstrip("/") + "/")
            return
        if current in self._marked:
            self._marked.remove(current)
        elif len(self._marked) < MOST_MODELS:
            self._marked.append(current)
        else:
            said = f"{MOST_MODELS} are marked, which is the most that fit side by side."
            self.app.notify(said, severity="warning")
        self.offer(keep=True)


def _choices(store: Store) -> list[Choice]:
    """Runs with their checkpoints, their base models, and the models on this machine."""
    choices: list[Choice] = []
    saved = store.models.saved()
    for model in saved:
        subject = Subject(model.run_id, model.run, model.base, model.untrained)
        if model.newest:
            note = f"newest, test {numbers.perplexity(model.eval_perplexity)}, on {model.base}"
            asked = Asked.of_run(model.run_id, model.run)
            choices.append(Choice(asked.label, note, asked, subject))
        choices.append(_of_checkpoint(model, subject))
    bases = {model.base: "base of a run" for model in saved if not model.base.startswith("run:")}
    here = sources.known("model", store)
    cached = {source.value: source.note for source in here if not source.value.startswith("run:")}
    return choices + [
        Choice(name, note, Asked.of_model(name)) for name, note in {**bases, **cached}.items() if name
    ]


def _of_checkpoint(model: SavedModel, subject: Subject) -> Choice:
    best = ", best" if model.best else ""
    note = f"step {model.step:,}, test {numbers.perplexity(model.eval_perplexity)}{best}"
    name = f"  run {model.run_id} {model.run}, epoch {model.epoch:.3g}"
    return Choice(name, note, Asked.of_checkpoint(model), subject)
