"""The inline console of `mlm-workbench fill`: a prompt with history, answers below it as in a shell.

It draws no screen, so that it works in any terminal, over SSH, and its answers stay in the scrollback.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.text import Text

from workbench.errors import StoreError, WorkbenchError
from workbench.inference.client import InferenceClient
from workbench.inference.local import load
from workbench.inference.render import render
from workbench.inference.resolve import ModelChoice
from workbench.inference.results import FillResult
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.store import Store

T = TypeVar("T")
PROMPT = "fill> "
_PATIENCE = 0.4  # seconds before it is said that the model is being loaded


def run_console(store: Store, choice: ModelChoice, top_k: int = 5, *, as_json: bool = False) -> int:
    """Ask for texts and fill their masks until Ctrl-D; the exit code.

    Where standard input is no terminal, its lines are answered plainly (see `answer_lines`).
    """
    if not sys.stdin.isatty():
        return answer_lines(choice, sys.stdin, top_k, as_json=as_json)
    return _Prompt(store, choice, top_k, as_json=as_json).run()


def answer_lines(choice: ModelChoice, lines: Iterable[str], top_k: int = 5, *, as_json: bool = False) -> int:
    """Fill the masks of each line; with `as_json` a JSON object a line. Empty lines are passed over.

    A line that cannot be answered is told on standard error and the others go on; the exit code is then that
    of the last such line. Raises ModelError when the model cannot be had.
    """
    out, problems = Console(), Console(stderr=True)
    filler = load(choice)
    _show_notes(problems, filler.notes)
    code = 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        try:
            _show(out, filler.fill(text, top_k), as_json=as_json)
        except WorkbenchError as error:
            code = error.exit_code
            problems.print(Text(f"line {number}: ") + _explained(error), soft_wrap=True)
    return code


def show_result(result: FillResult, *, as_json: bool = False) -> None:
    """Print one answer on standard output, and what should be known about the model on standard error."""
    _show_notes(Console(stderr=True), result.notes)
    _show(Console(), result, as_json=as_json)


class _Prompt:
    """The loop of the console. The model loads in its own process while the person types."""

    def __init__(self, store: Store, choice: ModelChoice, top_k: int, *, as_json: bool) -> None:
        self._store, self._choice, self._top_k, self._as_json = store, choice, top_k, as_json
        self._out = Console()
        self._err = Console(stderr=True)
        self._told = False
        self._remembers = True

    def run(self) -> int:
        label = printable(self._choice.label)
        keys = f"Write [MASK] where a word is missing{' (Tab types it)' if self._set_up_keys() else ''}"
        self._err.print(Text(f"Filling masks with {label}. {keys}. Ctrl-D leaves."))
        with _Loop() as loop:
            client = InferenceClient()
            warming = loop.start(client.fill(self._choice.path, "[MASK]", 1))
            try:
                while (text := self._read()) is not None:
                    if text.strip():
                        self._answer(loop, client, text)
            finally:
                warming.cancel()
                loop.start(client.close()).result()
        return 0

    def _read(self) -> str | None:
        """A line, or None at the end."""
        try:
            return input(PROMPT)
        except EOFError:
            self._err.print()
            return None
        except KeyboardInterrupt:
            self._err.print("\nCtrl-D leaves.")
            return ""
        except UnicodeDecodeError:
            self._err.print("That is not UTF-8 text.")
            return ""

    def _answer(self, loop: _Loop, client: InferenceClient, text: str) -> None:
        asked = loop.start(client.fill(self._choice.path, text, self._top_k))
        try:
            result = self._wait(asked)
        except KeyboardInterrupt:
            asked.cancel()
            self._err.print("\nTaken back. Ctrl-D leaves.")
            return
        except WorkbenchError as error:
            self._err.print(_explained(error))
            return
        if not self._told:
            _show_notes(self._err, result.notes)
            self._told = True
        _show(self._out, result, as_json=self._as_json)
        self._remember(text, result)

    def _wait(self, asked: Future[FillResult]) -> FillResult:
        try:
            return asked.result(_PATIENCE)
        except TimeoutError:
            self._err.print(Text("Loading the model…", "dim"))
            return asked.result()

    def _remember(self, text: str, result: FillResult) -> None:
        if not self._remembers:
            return
        choice = self._choice
        try:
            self._store.add_fill(model=choice.label, run_id=choice.run_id, text=text, result=result.to_json())
        except WorkbenchError as error:
            self._remembers = False
            self._err.print(Text("The history is not kept. ") + _explained(error))

    def _set_up_keys(self) -> bool:
        """Editing, history from the store, Tab for a mask. False: Python was built without readline."""
        try:
            import readline
        except ImportError:
            return False
        if "libedit" in (readline.__doc__ or ""):
            readline.parse_and_bind("bind -s '^I' '[MASK]'")
        else:
            readline.parse_and_bind(r'"\t": "[MASK]"')
        try:
            before = sorted(self._store.fills(), key=lambda fill: fill.id or 0)
        except StoreError:
            return True
        for fill in before:
            if fill.text.isprintable():
                readline.add_history(fill.text)
        return True


class _Loop:
    """An event loop in a thread of its own: the prompt blocks, the inference process goes on."""

    def __enter__(self) -> _Loop:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="inference-client", daemon=True)
        self._thread.start()
        return self

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _show(console: Console, result: FillResult, *, as_json: bool) -> None:
    if as_json:  # in ASCII: no letter in it can move the cursor
        console.file.write(json.dumps(result.to_json()) + "\n")
        console.file.flush()
        return
    bar = ""
    if console.is_terminal:
        bar = "█" if "utf" in (console.encoding or "").lower() else "#"
    console.print(render(result, console.width, bar=bar), soft_wrap=not console.is_terminal)


def _show_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(Text(f"Warning: {printable(note)}"), soft_wrap=True)


def _explained(error: WorkbenchError) -> Text:
    return Text(printable(f"{error.message} {error.hint}".strip()))
