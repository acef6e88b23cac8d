"""The command: its verbs, and the exit codes of errors and interrupts."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from workbench import __version__
from workbench.cli.backup import backup, restore
from workbench.cli.changed import changed
from workbench.cli.cloze import cloze
from workbench.cli.compare import compare
from workbench.cli.completion import completion
from workbench.cli.doctor import doctor
from workbench.cli.examples import epilog
from workbench.cli.export import export
from workbench.cli.fetch import fetch
from workbench.cli.fill import fill
from workbench.cli.import_run import import_run
from workbench.cli.inspect import inspect
from workbench.cli.jobs import cancel, requeue
from workbench.cli.options import Db, location
from workbench.cli.push import push
from workbench.cli.runs import delete, runs, show, stop
from workbench.cli.settings import LateCommand
from workbench.cli.sweep import sweep
from workbench.cli.train import resume, train
from workbench.cli.web import web
from workbench.cli.work import work
from workbench.cli.yardstick import yardstick
from workbench.errors import UsageError, WorkbenchError
from workbench.faults import explain
from workbench.processes import lacks_memory
from workbench.text import printable

INTERRUPTED = 130
_OUTPUT_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EPIPE, errno.EBADF, errno.EFBIG}


class _Verbs(TyperGroup):
    """The verbs. Typer's usage errors quote the command line, so control characters are removed from them."""

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        with _quoting_safely():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: Any) -> Any:
        with _quoting_safely():
            return super().invoke(ctx)


@contextmanager
def _quoting_safely() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if isinstance(message := getattr(error, "message", None), str):
            error.message = printable(message, keep_newlines=True)  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=_Verbs,
    name="mlm-workbench",
    # Rich's markup would parse [MASK] as a style, and Rich is slow to import.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    train,
    inspect,
    runs,
    show,
    stop,
    resume,
    cancel,
    requeue,
    work,
    fetch,
    delete,
    compare,
    changed,
    cloze,
    yardstick,
    fill,
    export,
    push,
    import_run,
    web,
    backup,
    restore,
    doctor,
    completion,
):
    verb_name = verb.__name__.removesuffix("_run")  # `import` is a Python keyword
    app.command(verb_name, cls=LateCommand if hasattr(verb, "late") else None, epilog=epilog(verb_name))(verb)
app.add_typer(sweep, name="sweep")


@app.callback(invoke_without_command=True)
def workbench(
    context: typer.Context,
    db: Db = None,
    runs_folder: Annotated[
        Path | None,
        typer.Option(
            "--runs",
            metavar="FOLDER",
            help="Keep in a PostgreSQL store where its runs lie. [MLM_WORKBENCH_RUNS]",
        ),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """A terminal workbench for adapting masked language models: configure, train, watch, fill.

    Without a command it opens the terminal UI. RUN is a run's id, its name, or `latest`.
    """
    context.obj = db
    if version:
        typer.echo(f"mlm-workbench {__version__}")
        raise typer.Exit
    if runs_folder is not None:
        _keep_runs_in(runs_folder, location(context, None))
    if context.invoked_subcommand is None:
        _require_terminal()
        from workbench.tui.app import run

        run(location(context, None))


def _require_terminal() -> None:
    """Raises UsageError where the terminal UI can neither be drawn nor get keys."""
    if "TEXTUAL_DRIVER" in os.environ:  # it is drawn in a browser, through pipes
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "The terminal UI needs a terminal.",
            "Over SSH: ssh -t HOST mlm-workbench. Without one, use the verbs: mlm-workbench --help",
        )


def _keep_runs_in(folder: Path, place: str | None) -> None:
    from workbench.store import Store

    store = Store.open(place)
    store.database.folders.keep(folder)
    store.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0 done, 1 it failed, 2 bad usage, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that the locale lacks must not end a command
    try:
        code = _run(arguments)
        sys.stdout.flush()  # what cannot be written is found out while it can be said
        return code
    except Exception as error:
        return _unexpected(error)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        app(args=None if arguments is None else list(arguments), prog_name="mlm-workbench")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except WorkbenchError as error:
        print(f"Error: {printable(error.message, keep_newlines=True)}", file=sys.stderr)
        if error.hint:
            print(printable(error.hint, keep_newlines=True), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _unexpected(error: Exception) -> int:
    """Say what happened in a few lines, without a traceback; the exit code."""
    refused = error.errno if isinstance(error, OSError) and error.filename is None else None
    if (
        refused is not None and refused in _OUTPUT_ERRORS
    ):  # what is left in the buffer would be written, and fail, once more at the end
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # the reader of the pipe closed it
        return 1
    if lacks_memory(error):
        message = "The machine has too little memory for this command."
    elif refused is not None and refused in _OUTPUT_ERRORS:
        message = f"The output could not be written: {os.strerror(refused)}."
    else:
        message = explain(error)
    with suppress(OSError):
        print(f"Error: {printable(message, keep_newlines=True)}", file=sys.stderr)
    return 1
