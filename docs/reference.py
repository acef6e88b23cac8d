"""Writes docs/reference.md, every command, recipe field and key, from the code itself: `make docs`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from textual.binding import Binding, BindingType

from docs.recipe_table import allowed, written
from workbench.cli.app import app as command_line
from workbench.metrics import MetricName
from workbench.recipe import GROUPS, PRESETS
from workbench.recipe_fields import FIELDS
from workbench.tui.actions import REFERENCE, bindings, shown_key
from workbench.tui.app import WorkbenchApp

FILE = Path(__file__).parent / "reference.md"
HEAD = """\
# Reference

Every command, every field of a recipe, every metric and every key. Written by `make docs` from the program
itself; what a command prints with `--help` and a screen with `?` is the same.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    return "\n".join([HEAD, *_commands(), *_fields(), *_metrics(), *_keys()]).rstrip() + "\n"


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield "`RUN` is an id, a name that only one run has, or `latest`."
    yield "Exit codes: 0 done, 1 it failed, 2 bad usage, 130 interrupted.\n"
    group: Any = typer.main.get_command(command_line)
    yield from _command(group, "mlm-workbench", "###")
    for name, command in group.commands.items():
        yield from _command(command, f"mlm-workbench {name}", "###")
        for inner, verb in getattr(command, "commands", {}).items():
            yield from _command(verb, f"mlm-workbench {name} {inner}", "####")


def _command(command: Any, name: str, level: str) -> Iterator[str]:
    context = typer.Context(command)
    yield f"{level} `{' '.join([name, *command.collect_usage_pieces(context)])}`\n"
    yield f"{command.help or ''}\n"
    records = [record for one in command.params if (record := one.get_help_record(context))]
    if records:
        yield "| option | what |\n| --- | --- |"
        yield from (f"| `{_cell(option)}` | {_cell(what)} |" for option, what in records)
        yield ""
    if command.epilog:
        yield f"```\n{command.epilog.replace(chr(8), '').strip()}\n```\n"


def _fields() -> Iterator[str]:
    yield "## Recipe fields\n"
    yield "`train` and `sweep` have flags for some, and take any of them by `--set FIELD=VALUE`.\n"
    for group in GROUPS:
        yield f"### {group.capitalize()}\n"
        yield f"| field | what | unit | allowed | {' | '.join(f'`{name}`' for name in PRESETS)} |"
        yield "| --- " * (4 + len(PRESETS)) + "|"
        for name, field in FIELDS.items():
            if field.group == group:
                values = " | ".join(written(getattr(recipe, name)) for recipe in PRESETS.values())
                what = _cell(field.help)
                yield f"| `{name}` | {what} | {field.unit} | {allowed(name)} | {values} |"
        yield ""


def _metrics() -> Iterator[str]:
    yield "## Metrics\n"
    yield (
        "Named as in `show --json` and the table `metric`; besides, `time/PHASE` is the seconds in a phase.\n"
        "A perplexity too large for a number is infinite: ∞ on the screen, `inf` in CSV and Parquet,\n"
        "null in JSON.\n"
    )
    yield "| name | shown as | unit | better |\n| --- | --- | --- | --- |"
    better = {True: "lower", False: "higher", None: ""}
    yield from (
        f"| `{name}` | {name.label} | {name.unit} | {better[name.lower_is_better]} |" for name in MetricName
    )
    yield ""


def _keys() -> Iterator[str]:
    yield "## Keys\n"
    app = WorkbenchApp(_no_store)
    for title, places in REFERENCE.items():
        yield f"### {title}\n\n| keys | what |\n| --- | --- |"
        for what, keys in _explained(app, [one for place in places for one in bindings(place)]).items():
            yield f"| {' '.join(f'`{_cell(key)}`' for key in keys)} | {_cell(what)} |"
        yield ""


def _explained(app: WorkbenchApp, bindings: Sequence[BindingType]) -> dict[str, list[str]]:
    """What is done, and the keys that do it; those without an explanation are left out, as in the program."""
    found: dict[str, list[str]] = {}
    for binding in Binding.make_bindings(bindings):
        if binding.tooltip:
            keys = found.setdefault(binding.tooltip, [])
            key = shown_key(app, binding)
            if key not in keys:
                keys.append(key)
    return found


def _no_store() -> Any:
    raise AssertionError("The reference looks at no database.")


def _cell(text: str) -> str:
    """`text` within a table."""
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8")
