"""A group of form fields, folded into one line that summarizes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from workbench.tui.actions import bindings
from workbench.tui.new_run.field import RecipeField


class FieldGroup(Vertical):
    """A folded group of fields; they are created when it is first opened."""

    DEFAULT_CSS = """
    FieldGroup { height: auto; }
    FieldGroup > .fields { height: auto; display: none; }
    FieldGroup.-open > .fields { display: block; }
    """

    @dataclass
    class Opened(Message):
        """The group's fields exist now; the form fills them."""

        group: FieldGroup

    def __init__(self, name: str, names: tuple[str, ...], after: Mapping[str, Widget] | None = None) -> None:
        """`after`: widgets that follow a field, by its name."""
        super().__init__(id=f"group-{name}")
        self._after = after or {}
        self.group_name = name
        self.field_names = names
        self._made = False

    def compose(self) -> ComposeResult:
        yield GroupTitle(self.group_name)
        yield Vertical(classes="fields")

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    async def open(self, values: dict[str, Any]) -> None:
        """Unfold, with `values` in the fields."""
        if not self._made:
            self._made = True
            made: list[Widget] = []
            for name in self.field_names:
                made.append(RecipeField(name, values[name]))
                made += [self._after[name]] if name in self._after else []
            await self.query_one(".fields", Vertical).mount(*made)
        self.add_class("-open")
        self.query_one(GroupTitle).refresh()

    def close(self) -> None:
        self.remove_class("-open")
        self.query_one(GroupTitle).refresh()

    def tell(self, summary: str, problems: int) -> None:
        """The summary on the folded line."""
        self.query_one(GroupTitle).tell(summary, problems)


class GroupTitle(Widget, can_focus=True):
    """The line that opens and closes a group."""

    DEFAULT_CSS = """
    GroupTitle { height: 1; }
    GroupTitle:focus { background: $block-cursor-blurred-background; text-style: bold; }
    GroupTitle:ansi:focus { text-style: bold reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("form.group")

    @dataclass
    class Toggled(Message):
        group: FieldGroup

    def __init__(self, name: str) -> None:
        super().__init__()
        self._group = name
        self._summary = ""
        self._problems = 0

    def tell(self, summary: str, problems: int) -> None:
        if (summary, problems) != (self._summary, self._problems):
            self._summary, self._problems = summary, problems
            self.refresh()

    def render(self) -> Text:
        group = self.parent
        is_open = isinstance(group, FieldGroup) and group.is_open
        text = Text(f"{'▾' if is_open else '▸'} {self._group.capitalize():<24}", no_wrap=True, end="")
        text.overflow = "ellipsis"
        if self._problems:
            text.append(f"✗ {self._problems} to fix  ", "bold red")
        if not is_open:
            text.append(self._summary, "dim")
        return text

    def action_fold(self) -> None:
        assert isinstance(self.parent, FieldGroup)
        self.post_message(self.Toggled(self.parent))

    def on_click(self) -> None:
        self.focus()
        self.action_fold()
