"""Chooses whom the console asks: a run with a checkpoint, or any model by name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.text import printable
from workbench.tui import figures
from workbench.tui.status import mark

if TYPE_CHECKING:
    from workbench.store import Run, Store


@dataclass(frozen=True, slots=True)
class Picked:
    """Either a run or a model."""

    run: Run | None
    model: str | None


class PickModel(ModalScreen[Picked | None]):
    """Typing narrows the list; what matches nothing is taken as the name of a model."""

    CSS_PATH = "pick_model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
    ]

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._all: list[tuple[Text, Picked]] = []
        self._offered: list[Picked] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Which model? Type to narrow, or a hub id or folder.", markup=False)
            line = Input(compact=True, placeholder="run, model or folder", id="filter")
            line.cursor_blink = False
            yield line
            yield OptionList(id="choices", markup=False)

    async def on_mount(self) -> None:
        self.query_one(Input).focus()
        runs = await asyncio.to_thread(self._store.runs)
        models = dict.fromkeys(["starter", *(str(run.recipe.get("model", "")) for run in runs)])
        self._all = [(_of_run(run), Picked(run, None)) for run in runs if run.checkpoint]
        self._all += [
            (Text(f"  {printable(model)}  as it is, untrained here"), Picked(None, model))
            for model in models
            if model and not model.startswith("run:")
        ]
        self._offer("")

    def _offer(self, typed: str) -> None:
        wanted = typed.strip().lower()
        found = [(text, picked) for text, picked in self._all if wanted in text.plain.lower()]
        if wanted and not any(picked.model == typed.strip() for _, picked in found):
            found.append(
                (Text(f"  {printable(typed.strip())}  a hub id or a folder"), Picked(None, typed.strip()))
            )
        self._offered = [picked for _, picked in found]
        choices = self.query_one(OptionList)
        choices.clear_options()
        choices.add_options([Option(text) for text, _ in found])
        choices.highlighted = 0 if found else None

    def on_input_changed(self, event: Input.Changed) -> None:
        self._offer(event.value)

    def on_input_submitted(self) -> None:
        at = self.query_one(OptionList).highlighted
        self.dismiss(self._offered[at] if at is not None else None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._offered[event.option_index])

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        if self._offered:
            choices.highlighted = ((choices.highlighted or 0) + by) % len(self._offered)

    def action_leave(self) -> None:
        self.dismiss(None)


def _of_run(run: Run) -> Text:
    text = f"{mark(run.status).symbol} {run.id} {figures.clip(printable(run.name), 30)}"
    return Text(f"{text}  test {figures.perplexity(run.eval_perplexity)}  from {run.recipe.get('model')}")
