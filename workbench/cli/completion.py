"""Completion for shells: `completion SHELL`, and what Tab offers for presets, runs and fields.

Completion must be quick and silent: on any error it offers nothing. Values that a shell would split are left
out, since the scripts pass them on unquoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated

import typer

from workbench.engines.configuration import places

PROGRAM = "mlm-workbench"
VARIABLE = "_MLM_WORKBENCH_COMPLETE"
_SAFE = re.compile(r"[\w@%+=,./:-]+", re.ASCII)
_MOST = 100

Offer = Callable[[typer.Context, str], list[str]]


class Shell(StrEnum):
    """The supported shells."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="The shell to complete for.")],
) -> None:
    """Print a script that lets a shell complete verbs, options, presets and runs.

    `mlm-workbench --install-completion` installs it for your present shell.
    """
    from typer.completion import get_completion_script

    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell))


def _offer(values: Callable[[typer.Context], Iterable[str]]) -> Offer:
    def offered(context: typer.Context, incomplete: str) -> list[str]:
        try:
            offers = [value for value in values(context) if _SAFE.fullmatch(value)]
        except Exception:  # a message would appear in the middle of the command line
            return []
        return [value for value in dict.fromkeys(offers) if value.startswith(incomplete)][:_MOST]

    return offered


def _names_of_runs(context: typer.Context) -> list[str]:
    from workbench.store.names import run_names

    runs = run_names(_database(context))
    names = [name for _, name in runs]
    return [
        "latest",
        *(name for name in names if names.count(name) == 1),
        *(str(run_id) for run_id, _ in runs),
    ]


def _names_of_models(context: typer.Context) -> list[str]:
    return ["starter", *(f"run:{name}" for name in _names_of_runs(context))]


def _names_of_presets(context: typer.Context) -> list[str]:
    from workbench import presets

    return presets.names()


def _fields(context: typer.Context) -> list[str]:
    from workbench.recipe_fields import FIELDS

    return [f"{field}=" for field in FIELDS]


def _trackers(context: typer.Context) -> Iterable[str]:
    from workbench.worker.reporting import TRACKERS

    return TRACKERS


def _places(context: typer.Context) -> Iterable[str]:
    return places()


def _database(context: typer.Context) -> str | None:
    """The database given on the line, after the verb or before it."""
    one: typer.Context | None = context
    while one is not None:
        if named := one.params.get("db"):
            return str(named)
        one = one.parent  # type: ignore[assignment]
    return None


offer_runs = _offer(_names_of_runs)
offer_models = _offer(_names_of_models)
offer_presets = _offer(_names_of_presets)
offer_fields = _offer(_fields)
offer_trackers = _offer(_trackers)
offer_places = _offer(_places)
