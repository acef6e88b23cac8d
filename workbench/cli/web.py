"""`web`: the workbench in a browser on this machine."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from workbench.cli.options import Db, location, open_store
from workbench.cli.output import say
from workbench.errors import UsageError


def web(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="The port. [the first free one from 8000 on]"),
    ] = None,
    host: Annotated[str | None, typer.Option(hidden=True)] = None,
    db: Db = None,
) -> None:
    """Serve the terminal UI to a browser on this machine, until Ctrl-C.

    It listens on 127.0.0.1 only, and there is no --host: whoever reaches the workbench can do what you can.
    From another computer, use SSH; the command is printed. The address contains a secret, new at every
    start. Runs continue when the server ends.
    """
    if host is not None:
        raise UsageError(
            "There is no --host: whoever reaches the workbench can do what you can.",
            "From another computer: ssh -L 8000:127.0.0.1:8000 gpu-box, then open what `web` prints.",
        )
    if find_spec("textual_serve") is None:
        raise UsageError(
            "The package textual-serve is not installed.",
            "Install it: pip install 'mlm-workbench[web]'",
        )
    open_store(context, db).close()  # better to fail here than in the browser
    from workbench.web.server import Server, listen

    command = [sys.executable, "-P", "-m", "workbench"]
    if chosen := location(context, db):
        command += ["--db", chosen]
    server = Server(command, listen(port))
    server.serve(lambda: _announce(server.url, server.port))


def _announce(url: str, port: int) -> None:
    print(url, flush=True)
    say("Open this address in a browser. Keep it secret: whoever has it can do what you can.")
    say(f"From another computer, first: ssh -L {port}:127.0.0.1:{port} gpu-box")
    say("Ctrl-C ends it. Runs continue.")
