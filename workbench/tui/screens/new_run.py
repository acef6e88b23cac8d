"""The form for a new run: what people change first on top, the rest folded away, its cost below."""

from __future__ import annotations

import platform
import shlex
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Footer, Input, Static

from workbench.recipe import GROUPS, PRESETS, Recipe
from workbench.text import printable
from workbench.tui import actions, figures
from workbench.tui.cost import estimate
from workbench.tui.screens.base import TitleBar, WorkbenchScreen
from workbench.tui.widgets.choice import Choice
from workbench.tui.widgets.field import RecipeField, as_text, metadata, title_of
from workbench.tui.widgets.field_group import FieldGroup, GroupTitle

if TYPE_CHECKING:
    from workbench.store import Run

FIRST = ("chunk_size", "mask_prob", "epochs")
_FLAGS = {
    "model": "--model",
    "dataset": "--dataset",
    "text_column": "--text-column",
    "train_size": "--train-size",
    "test_size": "--test-size",
    "chunk_size": "--chunk-size",
    "mask_prob": "--mask-prob",
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "learning_rate": "--lr",
    "seed": "--seed",
    "precision": "--precision",
}
_IN_SIGHT = {
    "model": ("model",),
    "data": ("dataset", "train_size", "test_size", "seed"),
    "training": ("batch_size", "learning_rate"),
    "masking": ("masking",),
    "optimizer": ("schedule", "weight_decay"),
    "machine": ("device", "precision"),
    "checkpoints": ("eval_every", "checkpoint_every"),
}
"""Of each group the fields that its folded line shows."""
_SPEAK_FOR_THEMSELVES = frozenset({"model", "dataset", "masking"})


def group_fields(group: str) -> tuple[str, ...]:
    """The fields folded away under `group`, in the recipe's order."""
    return tuple(n for n in Recipe.model_fields if n not in FIRST and metadata(n)[0] == group)


class NewRunScreen(WorkbenchScreen):
    """Every knob of a recipe. Nothing is written until the run is started."""

    CSS_PATH = "new_run.tcss"
    TITLE = "New run"
    HELP = """
Set chunk size, mask probability and epochs, and press Ctrl+S. Everything else has a sensible value from
the preset and is folded away: Enter on a group's line opens it. What is wrong is said at the field as you
type. Numbers may be typed as 1e-3. An empty field means: not set.

The preset starter needs no network. xsum is the reference recipe and fetches its model and text.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start", tooltip="Start the run and watch it"),
        Binding("ctrl+t", "preset", "Preset", tooltip="Next preset: all fields take its values"),
        Binding("ctrl+o", "fold", "Open/fold all", tooltip="Open all groups, or fold them away"),
        Binding("down,enter,j", "go(1)", "Next", key_display="↓", tooltip="Next field"),
        Binding("up,k", "go(-1)", "Previous", key_display="↑", show=False, tooltip="Field before"),
        Binding(
            "escape",
            "app.leave_screen",
            "Back",
            key_display="Esc",
            tooltip="Back, starting nothing",
        ),
        Binding("question_mark,f1", "help", "Help", key_display="F1", tooltip="All keys of this screen"),
    ]

    def __init__(self, recipe: Recipe | None = None, preset: str = "starter") -> None:
        super().__init__()
        self._preset = preset
        self._values: dict[str, Any] = (recipe or PRESETS[preset]).model_dump()
        self._recipe: Recipe | None = None
        self._problems: dict[str, str] = {}
        self._past: list[Run] = []

    def compose(self) -> ComposeResult:
        yield TitleBar()
        with VerticalScroll(id="form", can_focus=False):
            with Horizontal(classes="row"):
                yield Static("Preset", classes="title", markup=False)
                yield Choice(tuple(PRESETS), self._preset, id="preset")
            for name in FIRST:
                yield RecipeField(name, self._values[name])
            with Horizontal(classes="row"):
                yield Static("Name of the run", classes="title", markup=False)
                name_input = Input(compact=True, placeholder="made up if empty", max_length=200, id="name")
                name_input.cursor_blink = False
                yield name_input
            with Vertical(id="groups"):
                for group in GROUPS:
                    yield FieldGroup(group, group_fields(group))
        with Vertical(id="below"):
            yield Static("", id="about", markup=False)
            yield Static("", id="cost", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one(TitleBar).show("New run", "Ctrl+S starts it")
        self.query_one("#field-chunk_size Input").focus()
        self._check()

    def read(self) -> list[Run]:
        return self.workbench.store.runs()

    def show(self, data: list[Run]) -> None:
        self._past = data
        self._show_cost()

    def on_recipe_field_changed(self, event: RecipeField.Changed) -> None:
        self._values[event.field.field_name] = event.value
        self._check()

    def on_input_submitted(self) -> None:
        self.action_go(1)

    def on_choice_changed(self, event: Choice.Changed) -> None:
        if event.choice.id == "preset":
            self._use_preset(event.value)

    async def on_group_title_toggled(self, event: GroupTitle.Toggled) -> None:
        group = event.group
        if group.is_open:
            group.close()
        else:
            await self._open(group)

    async def _open(self, group: FieldGroup) -> None:
        await group.open(self._values)
        self._check()
        group.scroll_visible(animate=False)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self.query_one("#about", Static).update(self._about(event.widget))

    def _about(self, widget: Widget) -> str:
        field = next((one for one in widget.ancestors_with_self if isinstance(one, RecipeField)), None)
        if field:
            default = as_text(PRESETS[self._preset].model_dump()[field.field_name]) or "not set"
            return f"{field.help_text} ({self._preset}: {default})"
        if isinstance(widget, GroupTitle):
            assert isinstance(widget.parent, FieldGroup)
            names = ", ".join(title_of(name).lower() for name in widget.parent.field_names)
            return figures.clip(f"Enter opens: {names}", self.size.width - 4)
        if widget.id == "preset":
            return "Left and right choose. A preset fills in every field."
        return "What the run is called in the list; its files lie in runs/ID-NAME."

    def _use_preset(self, name: str) -> None:
        self._preset = name
        self._values = PRESETS[name].model_dump()
        for field in self.query(RecipeField):
            field.set_value(self._values[field.field_name])
        self.query_one("#preset", Choice).value = name
        self._check()

    def _check(self) -> None:
        """Validate all of it and say at each field what is wrong."""
        self._recipe, problems = Recipe.check(self._values)
        for field in self.query(RecipeField):
            field.show_problem(problems.get(field.field_name, ""))
        for group in self.query(FieldGroup):
            wrong = sum(name in problems for name in group.field_names)
            group.tell(printable(self._summary(group.group_name)), wrong)
        self._problems = problems
        self._show_cost()

    def _summary(self, group: str) -> str:
        """The values of a folded group that say most."""
        shown = []
        for name in _IN_SIGHT.get(group, ()):
            value = as_text(self._values[name])
            if name.endswith("_every"):
                value = "epoch" if value == "0" else f"{value} steps"
            if value:
                shown.append(value if name in _SPEAK_FOR_THEMSELVES else f"{title_of(name).lower()} {value}")
        return ", ".join(shown)

    def _show_cost(self) -> None:
        if self._recipe is None:
            lines = ["Cost: known when every field is right.", self._problems.get("", "")]
        else:
            lines = estimate(self._recipe, self._past, platform.node()).lines()
        self.query_one("#cost", Static).update("\n".join(lines))

    def action_preset(self) -> None:
        names = list(PRESETS)
        name = names[(names.index(self._preset) + 1) % len(names)]
        self._use_preset(name)
        self.tell(f"Preset {name}.")

    async def action_fold(self) -> None:
        groups = list(self.query(FieldGroup))
        if all(group.is_open for group in groups):
            for group in groups:
                group.close()
            return
        for group in groups:
            await group.open(self._values)
        self._check()

    def action_go(self, by: int) -> None:
        self.focus_next() if by > 0 else self.focus_previous()

    async def action_start(self) -> None:
        self._check()
        if self._recipe is None:
            await self._go_to_problem()
            return
        name = self.query_one("#name", Input).value.strip() or None
        actions.start(self, self._recipe, name, command_of(self._recipe, self._preset, name))

    async def _go_to_problem(self) -> None:
        """Put the cursor into the first field that is wrong, unfolding its group."""
        for group in self.query(FieldGroup):
            if any(name in self._problems for name in group.field_names):
                await group.open(self._values)
        self._check()
        for field in self.query(RecipeField):
            if field.field_name in self._problems:
                field.editor.focus()
                break
        self.tell("Not started: a field has to be put right first.", warning=True)

    def action_help(self) -> None:
        self.workbench.open_help()


def command_of(recipe: Recipe, preset: str, name: str | None) -> str:
    """The command line that starts the same run, as far as it has flags for it."""
    base = PRESETS[preset].model_dump()
    words = ["mlm-workbench", "train", "--preset", preset]
    rest = False
    for field, value in recipe.model_dump().items():
        if value == base[field]:
            continue
        if field in _FLAGS and value is not None:
            words += [_FLAGS[field], as_text(value)]
        else:
            rest = True
    if rest:
        words += ["--config", "recipe.toml"]
    return shlex.join([*words, "--name", name] if name else words)
