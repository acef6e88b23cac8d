"""One knob of a recipe as a form field, drawn from the recipe's own metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from workbench.recipe_fields import FIELDS, as_text
from workbench.text import printable
from workbench.tui.new_run.choice import Choice
from workbench.tui.widgets.inputs import NumberInput, TextInput


class RecipeField(Vertical):
    """Title, input, unit and help in one line; under it what is wrong, when something is."""

    DEFAULT_CSS = """
    RecipeField { height: auto; }
    RecipeField > Horizontal { height: 1; }
    RecipeField .title { width: 26; padding-left: 2; }
    RecipeField Input { width: 20; margin-right: 1; background: $surface; }
    RecipeField Input:focus { background: $primary-muted; }
    RecipeField Input.wide { width: 40; }
    RecipeField Choice { margin-right: 1; }
    RecipeField .hint { width: 1fr; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    RecipeField .problem { padding-left: 26; color: $text-error; text-style: bold; display: none; }
    RecipeField.-wrong .problem { display: block; }
    RecipeField.-wrong .title { color: $text-error; }
    RecipeField:ansi .problem { color: ansi_bright_red; }
    RecipeField:ansi Input { text-style: underline; }
    """

    @dataclass
    class Changed(Message):
        """The text of the field is now `value`."""

        field: RecipeField
        value: str

        @property
        def control(self) -> RecipeField:
            return self.field

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(id=f"field-{name}")
        self.field_name = name
        self.facts = FIELDS[name]
        self._value = as_text(value)

    def compose(self) -> ComposeResult:
        facts = self.facts
        with Horizontal():
            yield Static(facts.title, classes="title", markup=False)
            if facts.choices:
                yield Choice(facts.choices, self._value, several=True)
            else:
                kind = NumberInput if facts.is_number else TextInput
                field = kind(self._value, compact=True, select_on_focus=False)
                field.cursor_blink = False  # a blinking cursor sends bytes for ever
                field.set_class(not facts.is_number, "wide")
                yield field
            hint = f"{facts.unit} · {facts.help}" if facts.unit else facts.help
            yield Static(hint, classes="hint", markup=False)
        yield Static("", classes="problem", markup=False)

    @property
    def editor(self) -> Input | Choice:
        """What has the focus while the field is edited."""
        return self.query_one("Input, Choice")  # type: ignore[return-value]

    def set_value(self, value: Any) -> None:
        """Show another value, e.g. a preset's, without it counting as typed."""
        editor = self.editor
        with editor.prevent(Input.Changed, Choice.Changed):
            editor.value = as_text(value)

    def show_problem(self, problem: str) -> None:
        """Say what is wrong at the field; "" when nothing is."""
        self.set_class(bool(problem), "-wrong")
        if problem:
            if self.has_focus_within:  # the line below it may be out of sight
                self.call_after_refresh(self.scroll_visible, animate=False)
            self.query_one(".problem", Static).update(f"✗ {printable(problem)}")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    def on_choice_changed(self, event: Choice.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))
