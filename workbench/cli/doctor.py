"""`doctor`: checks everything that training needs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from workbench.cli.checks import all_checks
from workbench.cli.options import AsJson, Db, location
from workbench.cli.output import print_json
from workbench.text import printable

_MARKS = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}


def doctor(
    context: typer.Context,
    hub: Annotated[bool, typer.Option("--hub", help="Also check that the Hugging Face hub answers.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Check versions, device, database, privacy, disk, starter model and terminal.

    Exits with 1 if something that training needs is missing.
    """
    results = []
    for name, check in all_checks(location(context, db), hub=hub):
        results.append((name, check))
        if not as_json:
            typer.echo(f"{_MARKS[check.status]}  {name}: {printable(check.message)}")
            if check.hint:
                typer.echo(f"         {printable(check.hint)}")
    failed = any(check.status == "failure" for _, check in results)
    if as_json:
        print_json({"ok": not failed, "checks": [{"name": name, **asdict(check)} for name, check in results]})
    raise typer.Exit(1 if failed else 0)
