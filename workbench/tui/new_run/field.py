"""One knob of a recipe as a form field, drawn from the recipe's own metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from workbench.recipe import Recipe
from workbench.text import printable
from workbench.tui.new_run.choice import Choice
from workbench.tui.widgets.inputs import NumberInput, TextInput

_TITLES = {"mask_prob": "Mask probability", "compile": "torch.compile"}
_NUMBERS = (int, float)


def title_of(name: str) -> str:
    """`chunk_size` as a person reads it: `Chunk size`."""
    return _TITLES.get(name) or name.replace("_", " ").capitalize()


def metadata(name: str) -> tuple[str, str, str]:
    """(group, unit, one-line help) of a recipe field."""
    info = Recipe.model_fields[name]
    extra = info.json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["group"]), str(extra["unit"]), info.description or ""


def bounds_of(name: str) -> str:
    """What a number may be: `at least 8`, `above 0, below 1`; "" where it may be anything."""
    info = Recipe.model_fields[name]
    words = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
    found = [
        f"{word} {getattr(one, key):,.10g}"
        for key, word in words
        for one in info.metadata
        if hasattr(one, key)
    ]
    return ", ".join(found)


def choices_of(info: FieldInfo) -> tuple[str, ...]:
    """The words a field is chosen from, or nothing when it is typed."""
    return get_args(info.annotation) if get_origin(info.annotation) is Literal else ()


def is_number(name: str) -> bool:
    """Whether a recipe's field holds a number."""
    annotation = Recipe.model_fields[name].annotation
    return any(kind in _NUMBERS for kind in get_args(annotation) or (annotation,))


def as_text(value: Any) -> str:
    """A value as it is typed; None is the empty text."""
    if value is None:
        return ""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


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
        self.info = Recipe.model_fields[name]
        self.group, self.unit, self.help_text = metadata(name)
        self._value = as_text(value)

    def compose(self) -> ComposeResult:
        options = choices_of(self.info)
        with Horizontal():
            yield Static(title_of(self.field_name), classes="title", markup=False)
            if options:
                yield Choice(options, self._value, several=True)
            else:
                number = is_number(self.field_name)
                kind = NumberInput if number else TextInput
                field = kind(self._value, compact=True, select_on_focus=False)
                field.cursor_blink = False  # a blinking cursor sends bytes for ever
                field.set_class(not number, "wide")
                yield field
            hint = f"{self.unit} · {self.help_text}" if self.unit else self.help_text
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
