"""The fields of a recipe on the command line: a flag for some, `--set FIELD=VALUE` for any."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from functools import cached_property, wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from workbench.cli.completion import offer_fields, offer_models
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.recipe_fields import FieldFacts

Verb = Callable[..., None]


def takes_fields(
    names: Callable[[], Iterable[str]],
    rest: str = "Any other field of the recipe.",
    *,
    several: bool = False,
    **helps: str,
) -> Callable[[Verb], Verb]:
    """A verb with a flag for each of the fields `names()` and `--set` for the others, in place of its
    parameter `changes`: the fields that were given, as they were typed. Its command is a LateCommand.

    several: lists may be given. helps: of fields that mean less to the verb than to `train`.
    """

    def decorate(verb: Verb) -> Verb:
        @wraps(verb)
        def stub() -> None: ...

        stub.__signature__ = Signature()  # type: ignore[attr-defined]
        stub.__annotations__ = {}
        stub.late = lambda: _with_flags(verb, names(), rest, several, helps)  # type: ignore[attr-defined]
        return stub

    return decorate


def flagged() -> Iterable[str]:
    """The fields with a flag of their own."""
    from workbench.recipe_fields import FIELDS

    return [name for name, field in FIELDS.items() if field.flag]


def swept() -> Iterable[str]:
    """Those of them that a sweep takes several values of."""
    from workbench.recipe_fields import SEEDS

    return [name for name in flagged() if name not in SEEDS]


def of_the_text() -> Iterable[str]:
    """Those of them that decide the text, which is an argument, and its chunks."""
    from workbench.recipe import Affects
    from workbench.recipe_fields import fields_that

    wanted = {*fields_that(Affects.TEXT), "chunk_size"} - {"dataset"}
    return [name for name in flagged() if name in wanted]


class _Late:
    """Options that are made when somebody looks at them: what is known of a recipe's fields takes a tenth of
    a second to load, which the help of the whole and the screens do without."""

    _stub: Any

    @cached_property
    def _real(self) -> Any:
        made = typer.Typer(add_completion=False)
        made.command()(self._stub.late())
        return typer.main.get_command(made)

    @property
    def params(self) -> Any:
        return self._real.params

    @params.setter
    def params(self, none: Any) -> None: ...

    @property
    def callback(self) -> Any:
        return self._real.callback

    @callback.setter
    def callback(self, stub: Any) -> None:
        self._stub = stub


class LateCommand(_Late, TyperCommand):
    """The command of a verb that `takes_fields`."""


class LateGroup(_Late, TyperGroup):
    """The same for a verb that has verbs of its own."""


def _with_flags(verb: Verb, names: Iterable[str], rest: str, several: bool, helps: dict[str, str]) -> Verb:
    from workbench.recipe_fields import FIELDS

    kinds: dict[str, Any] = {
        name: Annotated[str | None, _flag(FIELDS[name], several, helps.get(name))] for name in names
    }
    fields = list(kinds)
    metavar = "FIELD=A,B" if several else "FIELD=VALUE"
    others = typer.Option("--set", metavar=metavar, help=rest, autocompletion=offer_fields)
    kinds["settings"] = Annotated[list[str] | None, others]
    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind) for name, kind in kinds.items()
    ]
    parameters: list[Parameter] = []
    for name, parameter in signature(verb, eval_str=True).parameters.items():
        parameters += options if name == "changes" else [parameter.replace(kind=Parameter.KEYWORD_ONLY)]

    @wraps(verb)
    def called(**given: Any) -> None:
        named = {name: text for name in fields if (text := given.pop(name)) is not None}
        others = changes_of(given.pop("settings") or ())
        verb(**given, changes=named | others)

    called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {}
    return called


def _flag(field: FieldFacts, several: bool, text: str | None) -> Any:
    kind = "N" if field.is_whole else "X" if field.is_number else field.name.rpartition("_")[2].upper()
    shown = "|".join(field.choices) or (f"{kind},{kind}" if several and not field.is_seed else kind)
    spelled = dict.fromkeys((field.flag, f"--{field.name.replace('_', '-')}"))
    offered = offer_models if field.name == "model" else None
    return typer.Option(*spelled, metavar=shown, help=text or field.help, autocompletion=offered)


def changes_of(settings: Iterable[str]) -> dict[str, Any]:
    """Field -> value as typed. Raises UsageError for a missing `=` or an unknown field."""
    from workbench.recipe_fields import FIELDS

    changes: dict[str, Any] = {}
    for setting in settings:
        field, equals, value = setting.partition("=")
        field = field.strip().replace("-", "_")
        if not equals:
            raise UsageError(f"--set {setting} needs the form FIELD=VALUE.", "For example max_steps=100.")
        if field not in FIELDS:
            near = difflib.get_close_matches(field, FIELDS, 3)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"Fields: {', '.join(FIELDS)}."
            raise UsageError(f"--set {setting}: unknown field {field}.", hint)
        changes[field] = value.strip()
    return changes
