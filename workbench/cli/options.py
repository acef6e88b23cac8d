"""Options that several verbs share."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.completion import offer_presets, offer_runs
from workbench.cli.output import say

if TYPE_CHECKING:
    from workbench.store import Store

Db = Annotated[
    str | None,
    typer.Option("--db", metavar="PATH|URL", help="The database. [MLM_WORKBENCH_DB, or ./experiments.db]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON on standard output.")]
PresetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Recipe to begin with; see train.", autocompletion=offer_presets),
]
ConfigOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Recipe in TOML; see train.")]
RunReference = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run's id, its name, or `latest`.", autocompletion=offer_runs),
]
CheckpointName = Annotated[
    str | None,
    typer.Option("--checkpoint", metavar="best|last|STEP", help="The checkpoint. [last]", show_default=False),
]
Detach = Annotated[
    bool, typer.Option("--detach", help="Print the run's id and return; it runs in the background.")
]


def location(context: typer.Context, db: str | None) -> str | None:
    """The database given after the verb or before it."""
    return db or context.obj


def open_store(context: typer.Context, db: str | None) -> Store:
    """Open the given store. Raises StoreError."""
    from workbench.store import Store

    store = Store.open(location(context, db))
    if store.notice:
        say(store.notice)
    return store


def command_line() -> str:
    """This command, as it was typed."""
    return shlex.join(["mlm-workbench", *sys.argv[1:]])
