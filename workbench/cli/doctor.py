"""`doctor`: is everything here that a training needs?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from workbench.cli.options import AsJson, Db, location
from workbench.cli.output import print_json
from workbench.text import printable

_MARKS = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}


def doctor(
    context: typer.Context,
    hub: Annotated[
        bool, typer.Option("--hub", help="Also see whether the Hugging Face hub answers.")
    ] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """See if all is well here. Versions, device, database, disk, terminal and starter model are checked.

    Ends with 1 if something is missing that a training needs.
    """
    from workbench.cli.checks import all_checks

    found = []
    for check in all_checks(location(context, db), hub=hub):
        found.append(check)
        if not as_json:
            typer.echo(f"{_MARKS[check.status]}  {check.name}: {printable(check.message)}")
            if check.hint:
                typer.echo(f"         {printable(check.hint)}")
    failed = any(check.status == "failure" for check in found)
    if as_json:
        print_json({"ok": not failed, "checks": [asdict(check) for check in found]})
    raise typer.Exit(1 if failed else 0)
