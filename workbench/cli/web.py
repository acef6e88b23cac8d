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
    """Serve the screen to a browser on this machine, until Ctrl-C.

    It listens on 127.0.0.1 alone, and there is no --host: whoever reaches the workbench can do what you can.
    From another computer, go through SSH; the command for it is printed. The address holds a secret, new at
    every start. Runs go on when the server ends.
    """
    if host is not None:
        raise UsageError(
            "There is no --host: whoever reaches the workbench can do all that you can.",
            "From another computer: ssh -L 8000:127.0.0.1:8000 gpu-box, then open what `web` prints.",
        )
    if find_spec("textual_serve") is None:
        raise UsageError(
            "To serve the screen, the package textual-serve is needed.",
            "Install it: pip install 'mlm-workbench[web]'",
        )
    open_store(context, db).close()  # what is wrong with it is better said here than in a browser
    from workbench.web.server import Server, listen

    command = [sys.executable, "-P", "-m", "workbench"]
    if chosen := location(context, db):
        command += ["--db", chosen]
    server = Server(command, listen(port))
    server.serve(lambda: _announce(server.url, server.port))


def _announce(url: str, port: int) -> None:
    print(url, flush=True)
    say("Open this address in a browser. Whoever has it can do what you can; keep it to yourself.")
    say(f"From another computer, first: ssh -L {port}:127.0.0.1:{port} gpu-box")
    say("Ctrl-C ends it. Runs go on.")
