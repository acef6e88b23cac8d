"""The form for a new run: the fields changed most on top, the others folded, the cost below."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Input, Static

from workbench import presets
from workbench.display import numbers
from workbench.errors import WorkbenchError
from workbench.recipe import GROUPS, PRESETS, Recipe
from workbench.recipe_fields import FIELDS, as_text
from workbench.store.past import MeasuredRun
from workbench.stored_recipe import StoredRecipe
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.new_run.choice import Choice
from workbench.tui.new_run.command import command_of
from workbench.tui.new_run.cost import PastRun, PreviewedText
from workbench.tui.new_run.cost_lines import CostLines
from workbench.tui.new_run.field import RecipeField
from workbench.tui.new_run.field_group import FieldGroup, GroupTitle
from workbench.tui.new_run.grid import SEEDS_FIELD, Typed, read_form
from workbench.tui.new_run.pick_source import PickSource
from workbench.tui.new_run.preview_pane import PreviewPane
from workbench.tui.new_run.processes_row import ABOUT, ProcessesRow
from workbench.tui.new_run.save_preset import SavePreset
from workbench.tui.new_run.start import queue_sweep, start_run
from workbench.tui.new_run.text_statistics import TextStatistics
from workbench.tui.new_run.where import WhereRow, about_place, script_or_problem
from workbench.tui.screen import TitleBar, WorkbenchScreen
from workbench.tui.widgets.confirm import Confirm
from workbench.tui.widgets.inputs import NumberInput
from workbench.tui.widgets.key_footer import KeyFooter
from workbench.tui.widgets.sources import Kind
from workbench.tui.widgets.text_page import TextPage

FIRST = ("chunk_size", "mask_prob", "epochs")
SUMMARIES = {
    "model": ("model",),
    "data": ("dataset", "train_size", "test_size", "seed"),
    "training": ("batch_size", "learning_rate"),
    "masking": ("masking",),
    "optimizer": ("schedule", "weight_decay"),
    "machine": ("device", "precision"),
    "checkpoints": ("eval_every", "checkpoint_every"),
}
"""The fields that each group's folded line shows. A test lists the fields that it leaves out."""
_SPEAK_FOR_THEMSELVES = frozenset({"model", "dataset", "masking"})


def group_fields(group: str) -> tuple[str, ...]:
    """The fields of `group`, in the recipe's order."""
    return tuple(name for name, field in FIELDS.items() if name not in FIRST and field.group == group)


class NewRunScreen(WorkbenchScreen):
    """All fields of a recipe. Nothing is saved until the run is started."""

    CSS_PATH = "screen.tcss"
    TITLE = "New run"
    HELP = """
Set chunk size, mask probability and epochs, and press Ctrl+S. Everything else has a sensible value from
the preset and is folded: Enter on a group's line opens it. Errors appear next to the field as you type.
Numbers may be typed as 1e-3. An empty field means not set.

A list such as 64,128,256 makes a sweep: one run per value, or per combination of several lists. In a choice,
a comma keeps the word and adds another. Ctrl+S queues all of them and opens the sweep.

F2 shows the first training chunks with the masks of the first epoch, counts the text, and follows your
changes. The model sees [word] as a mask, word→other as the other word, and =word= as it is; it must predict
all three. F6 shows statistics of the text: the length of documents, how many are repeated or nearly empty,
and what the tokenizer cannot spell.

The preset starter needs no network. xsum is the reference recipe and downloads its model and text. Presets
that you save are offered here and by train --preset.
"""
    BINDINGS: ClassVar[list[BindingType]] = bindings("form")

    def __init__(self, recipe: Recipe | None = None, preset: str = "starter") -> None:
        super().__init__()
        self._preset = preset
        self._values: dict[str, Any] = (recipe or PRESETS[preset]).model_dump()
        self._recipe: Recipe | None = None
        self._typed = Typed(None)
        self._problems: dict[str, str] = {}
        self._base = PRESETS[preset]
        self._processes_row = ProcessesRow()
        self._past: list[MeasuredRun] = []
        self._counted: PreviewedText | None = None

    def compose(self) -> ComposeResult:
        yield TitleBar()
        with VerticalScroll(id="form", can_focus=False):
            with Horizontal(classes="row"):
                yield Static("Preset", classes="title", markup=False)
                yield Choice(tuple(presets.names()), self._preset, id="preset")
            for name in FIRST:
                yield RecipeField(name, self._values[name])
            with Horizontal(classes="row"):
                yield Static("Name of the run", classes="title", markup=False)
                name_input = Input(compact=True, placeholder="generated if empty", max_length=200, id="name")
                name_input.cursor_blink = False
                yield name_input
            with Horizontal(classes="row"):
                yield Static("Seeds", classes="title", markup=False)
                seeds = NumberInput(compact=True, placeholder="one", max_length=200, id="seeds")
                seeds.cursor_blink = False
                yield seeds
                yield Static("repeats per recipe: 3, or seeds 1,2,7", classes="hint", markup=False)
            yield WhereRow()
            with Vertical(id="groups"):
                for group in GROUPS:
                    yield FieldGroup(group, group_fields(group), {"device": self._processes_row})
        yield PreviewPane(self.workbench.store)
        with Vertical(id="below"):
            yield Static("", id="about", markup=False)
            yield CostLines(id="cost")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(TitleBar).show("New run", "Ctrl+S starts it")
        # At once, so that keys already typed reach the field.
        self.set_focus(self.query_one("#field-chunk_size", RecipeField).editor)
        self._check()
        if problem := self.query_one(WhereRow).problem:
            self.tell_error(problem)

    def read(self) -> list[MeasuredRun]:
        return self.workbench.store.past.measured()

    def show(self, data: list[MeasuredRun]) -> None:
        self._past = data
        self._show_cost()

    def on_recipe_field_changed(self, event: RecipeField.Changed) -> None:
        self._values[event.field.field_name] = event.value
        self._check()

    def on_input_submitted(self) -> None:
        self.action_go(1)

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "seeds":
            self._check()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        if event.choice.id == "where":
            self.query_one("#about", Static).update(about_place(self.query_one(WhereRow).place))
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
        field = next(
            (ancestor for ancestor in widget.ancestors_with_self if isinstance(ancestor, RecipeField)), None
        )
        if field:
            name, facts_of_field = field.field_name, field.facts
            default = as_text(self._base.model_dump()[name]) or "not set"
            facts = [facts_of_field.unit, facts_of_field.bounds_text, f"{self._preset}: {default}"]
            if name in ("model", "dataset"):
                facts.append("Ctrl+L picks")
            if facts_of_field.takes_list:
                facts.append("a list makes a sweep")
            return printable(
                f"{facts_of_field.help}\n{' · '.join(fact for fact in facts if fact)}", keep_newlines=True
            )
        if isinstance(widget, GroupTitle):
            assert isinstance(widget.parent, FieldGroup)
            names = ", ".join(FIELDS[name].title.lower() for name in widget.parent.field_names)
            return numbers.clip(f"Enter opens: {names}", self.size.width - 4)
        if widget.id == "preset":
            return "Left and right choose; a preset fills in every field.\nF3 saves one, F8 deletes one."
        if widget.id == "seeds":
            return "How many seeds each recipe gets, or which: shows the effect of chance.\nempty: one"
        if widget.id == "processes":
            return ABOUT
        if widget.id == "where":
            return about_place(self.query_one(WhereRow).place)
        return "The name of the run or sweep in the list; a run's files are in runs/ID-NAME."

    def _use_preset(self, name: str) -> None:
        try:
            self._base = presets.load(name)
        except WorkbenchError as error:  # edited or deleted by another program
            self.tell_error(error)
            self._offer_presets()
            return
        self._preset = name
        self._values = self._base.model_dump()
        for field in self.query(RecipeField):
            field.set_value(self._values[field.field_name])
        self.query_one("#preset", Choice).value = name
        self._check()

    def _offer_presets(self) -> None:
        choice = self.query_one("#preset", Choice)
        choice.offer(tuple(presets.names()), self._preset)

    def _set_value(self, name: str, value: str) -> None:
        """Set a value as if typed; its field may be folded."""
        self._values[name] = value
        for field in self.query(RecipeField):
            if field.field_name == name:
                field.set_value(value)
        self._check()

    def _check(self) -> None:
        """Validate all fields and show each one's error."""
        self._typed = typed = read_form(self._values, self.query_one("#seeds", Input).value)
        self._recipe, problems = typed.recipe, typed.problems
        for field in self.query(RecipeField):
            field.show_problem(problems.get(field.field_name, ""))
        for group in self.query(FieldGroup):
            wrong = sum(name in problems for name in group.field_names)
            group.tell(printable(self._summary(group.group_name)), wrong)
        self._problems = problems
        self._show_cost()
        if self.has_class("-preview"):
            self.query_one(PreviewPane).draw(self._recipe)

    def _summary(self, group: str) -> str:
        """The most telling values of a folded group."""
        shown = []
        for name in SUMMARIES.get(group, ()):
            value = as_text(self._values[name])
            if name.endswith("_every"):
                value = "epoch" if value == "0" else f"{value} steps"
            if value:
                shown.append(
                    value if name in _SPEAK_FOR_THEMSELVES else f"{FIELDS[name].title.lower()} {value}"
                )
        return ", ".join(shown)

    def _show_cost(self) -> None:
        measured: list[PastRun] = [self._counted] if self._counted else []
        self.query_one(CostLines).show(self._typed, [*measured, *self._past])

    def action_preset(self) -> None:
        names = presets.names()
        at = names.index(self._preset) if self._preset in names else -1
        self._use_preset(names[(at + 1) % len(names)])
        self.tell(f"Preset {self._preset}.")

    def action_save_preset(self) -> None:
        def saved(name: str | None) -> None:
            if name:
                self._preset, self._base = name, presets.load(name)
                self._offer_presets()
                self.tell(f"Saved: train --preset {name}")

        if self._recipe is None:
            self._tell_problem()
            return
        if self._typed.plan is not None:
            self.tell("Not saved: a preset has one value in each field, and one seed.", warning=True)
            return
        name = "" if self._preset in PRESETS else self._preset
        self.app.push_screen(SavePreset(self._recipe, name), saved)

    def action_delete_preset(self) -> None:
        name = self._preset

        def answered(yes: bool | None) -> None:
            if yes:
                try:
                    presets.delete(name)
                except WorkbenchError as error:
                    self.tell_error(error)
                    return
                self._preset, self._base = "starter", PRESETS["starter"]
                self._offer_presets()
                self.tell(f"Preset {name} was deleted.")

        if name in PRESETS:
            self.tell(f"{name} is built in and cannot be deleted.", warning=True)
        else:
            self.app.push_screen(
                Confirm(f"Delete the preset “{name}”?", "The fields keep their values."), answered
            )

    def action_pick(self) -> None:
        focused = self.focused.ancestors_with_self if self.focused else []
        at_model = any(isinstance(field, RecipeField) and field.field_name == "model" for field in focused)
        kind: Kind = "model" if at_model else "dataset"

        def picked(value: str | None) -> None:
            if value:
                self._set_value(kind, value)
                self.tell(f"{FIELDS[kind].title}: {value}")

        self.app.push_screen(PickSource(kind, self.workbench.store), picked)

    def action_copy(self) -> None:
        if self._recipe is None:
            self._tell_problem()
            return
        self.app.copy_to_clipboard(self._command(self._recipe))
        self.tell(f"Copied: {self._command(self._recipe)}")

    def _command(self, recipe: Recipe) -> str:
        place = self.query_one(WhereRow).place
        plan, processes = self._typed.plan, self._processes_row.count
        return command_of(recipe, self._preset, self._base, self._run_name, plan, place.name, processes)

    @property
    def _run_name(self) -> str | None:
        return self.query_one("#name", Input).value.strip() or None

    def action_preview(self) -> None:
        self.toggle_class("-preview")
        self._check()

    def action_statistics(self) -> None:
        if self._recipe is None:
            self._tell_problem()
            return
        self.app.push_screen(TextStatistics(self._recipe, self.query_one(PreviewPane)))

    def action_script(self) -> None:
        place = self.query_one(WhereRow).place
        if place.is_local:
            self.tell("A run on this machine has no script; choose another place at Where.", warning=True)
            return
        script = script_or_problem(place, self._run_name, self._processes_row.count)
        self.app.push_screen(TextPage("The script of this run's job", script))

    def action_scroll_preview(self, by: int) -> None:
        pane = self.query_one(PreviewPane)
        pane.scroll_relative(y=by * max(pane.size.height - 2, 1), animate=False)

    def on_preview_pane_counted(self, event: PreviewPane.Counted) -> None:
        self._counted = PreviewedText(StoredRecipe.of(event.recipe), event.counts)
        self._show_cost()

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
        command, place = self._command(self._recipe), self.query_one(WhereRow).place
        if self._typed.plan is not None:
            queue_sweep(self, self._typed.plan, self._run_name, command, place, self._processes_row.count)
        else:
            start_run(self, self._recipe, self._run_name, command, place, self._processes_row.count)

    async def _go_to_problem(self) -> None:
        """Focus the first field with an error, unfolding its group."""
        for group in self.query(FieldGroup):
            if any(name in self._problems for name in group.field_names):
                await group.open(self._values)
        self._check()
        for field in self.query(RecipeField):
            if field.field_name in self._problems:
                field.editor.focus()
                self.call_after_refresh(field.scroll_visible, animate=False)
                break
        if list(self._problems) == [SEEDS_FIELD]:
            self.query_one("#seeds").focus()
        self._tell_problem()

    def _tell_problem(self) -> None:
        """Name the first field with an error, and the error."""
        name, problem = next(iter(self._problems.items()))
        title = "Seeds" if name == SEEDS_FIELD else FIELDS[name].title if name else ""
        self.tell(f"Fix {f'“{title}”' if title else 'this'} first: {problem}", warning=True)
