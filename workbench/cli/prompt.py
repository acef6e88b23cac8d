"""The inline console of `mlm-workbench fill`: a prompt with history, answers below it as in a shell.

It draws no screen, so it works in any terminal and over SSH, and its answers stay in the scrollback.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.text import Text

from workbench.display.answer import beside, render
from workbench.errors import StoreError, WorkbenchError
from workbench.inference.client import InferenceClient
from workbench.inference.local import answer, load
from workbench.inference.query import COMMAND, Query, run_command
from workbench.inference.resolve import ModelChoice, resolve_model
from workbench.inference.results import FillResult, Surprisal
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.store import Store

T = TypeVar("T")
Answer = FillResult | Surprisal
PROMPT = "fill> "
_PATIENCE = 0.4  # seconds before it says that the model is loading


def run_console(store: Store, choices: Sequence[ModelChoice], query: Query, *, as_json: bool = False) -> int:
    """Prompt for texts and answer them until Ctrl-D; returns the exit code.

    Without a terminal, the lines of standard input are answered (see `answer_lines`).
    """
    if not sys.stdin.isatty():
        return answer_lines(choices, sys.stdin, query, as_json=as_json)
    return _Prompt(store, choices, query, as_json=as_json).run()


def answer_lines(
    choices: Sequence[ModelChoice], lines: Iterable[str], query: Query, *, as_json: bool = False
) -> int:
    """Answer each line; with `as_json`, one JSON object per line. Empty lines are skipped.

    A line that cannot be answered is reported on standard error, and the others continue; the exit code is
    then that of the last such line. Raises ModelError when a model cannot be loaded.
    """
    out, problems = Console(), Console(stderr=True)
    for choice in choices:
        _show_notes(problems, load(choice).notes)
    code = 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        try:
            answers = [(choice.label, answer(choice, text, query)) for choice in choices]
            _show(out, answers, as_json=as_json)
        except WorkbenchError as error:
            code = error.exit_code
            problems.print(Text(f"line {number}: ") + _explained(error), soft_wrap=True)
    return code


def answer_once(choices: Sequence[ModelChoice], text: str, query: Query, *, as_json: bool = False) -> None:
    """Print one answer on standard output, and remarks on the models on standard error."""
    answers = [(choice.label, answer(choice, text, query)) for choice in choices]
    for _, one in answers:
        _show_notes(Console(stderr=True), one.notes)
    _show(Console(), answers, as_json=as_json)


class _Prompt:
    """The loop of the console. The models load in their own process while the user types."""

    def __init__(self, store: Store, choices: Sequence[ModelChoice], query: Query, *, as_json: bool) -> None:
        self._store, self._choices, self._query, self._as_json = store, choices, query, as_json
        self._out = Console()
        self._err = Console(stderr=True)
        self._told: set[str] = set()
        self._remembers = True

    def run(self) -> int:
        self._say_models()
        keys = f"Write [MASK] where a word is missing{' (Tab types it)' if self._set_up_keys() else ''}"
        self._err.print(Text(f"{keys}. :help lists commands. Ctrl-D exits."))
        with _Loop() as loop:
            client = InferenceClient()
            warming = [loop.start(client.fill(choice.path, "[MASK]", 1)) for choice in self._choices]
            try:
                while (text := self._read()) is not None:
                    if text.startswith(COMMAND):
                        self._run_command(loop, client, text)
                    elif text.strip():
                        self._answer(loop, client, text, self._query)
            finally:
                for future in warming:
                    future.cancel()
                loop.start(client.close()).result()
        return 0

    def _say_models(self) -> None:
        labels = " and ".join(printable(choice.label) for choice in self._choices)
        self._err.print(Text(f"Filling masks with {labels}."))

    def _run_command(self, loop: _Loop, client: InferenceClient, line: str) -> None:
        try:
            result = run_command(line, self._query)
            if result.models:
                self._choices = [resolve_model(self._store, model=model) for model in result.models]
                self._say_models()
        except WorkbenchError as error:
            self._err.print(_explained(error))
            return
        if result.text:
            self._answer(loop, client, result.text, result.query)
            return
        self._query = result.query
        if result.message:
            self._err.print(Text(printable(result.message, keep_newlines=True)))

    def _read(self) -> str | None:
        """A line, or None at the end."""
        try:
            return input(PROMPT)
        except EOFError:
            self._err.print()
            return None
        except KeyboardInterrupt:
            self._err.print("\nCtrl-D exits.")
            return ""
        except UnicodeDecodeError:
            self._err.print("That is not UTF-8 text.")
            return ""

    def _answer(self, loop: _Loop, client: InferenceClient, text: str, query: Query) -> None:
        asked = [loop.start(client.answer(choice.path, text, query)) for choice in self._choices]
        try:
            results = self._wait(asked)
        except KeyboardInterrupt:
            for one in asked:
                one.cancel()
            self._err.print("\nCancelled. Ctrl-D exits.")
            return
        except WorkbenchError as error:
            self._err.print(_explained(error))
            return
        for choice, result in zip(self._choices, results, strict=True):
            if choice.path not in self._told:
                _show_notes(self._err, result.notes)
                self._told.add(choice.path)
            self._remember(choice, text, result)
        answers = [(one.label, result) for one, result in zip(self._choices, results, strict=True)]
        _show(self._out, answers, as_json=self._as_json)

    def _wait(self, answers: Sequence[Future[Answer]]) -> list[Answer]:
        try:
            return [answer.result(_PATIENCE) for answer in answers]
        except TimeoutError:
            self._err.print(Text("Loading the model…", "dim"))
            return [answer.result() for answer in answers]

    def _remember(self, choice: ModelChoice, text: str, result: Answer) -> None:
        if not self._remembers:
            return
        try:
            self._store.add_fill(model=choice.label, run_id=choice.run_id, text=text, result=result.to_json())
        except WorkbenchError as error:
            self._remembers = False
            self._err.print(Text("The history is not saved. ") + _explained(error))

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
            before = sorted(self._store.fills(), key=lambda fill: fill.id)
        except StoreError:
            return True
        for fill in before:
            if fill.text.isprintable():
                readline.add_history(fill.text)
        return True


class _Loop:
    """An event loop in its own thread, so that a blocking prompt does not block the inference client."""

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


def _show(console: Console, answers: Sequence[tuple[str, Answer]], *, as_json: bool) -> None:
    if as_json:  # in ASCII, so that it holds no terminal escapes
        console.file.write(json.dumps(_as_json(answers)) + "\n")
        console.file.flush()
        return
    bar = ""
    if console.is_terminal:
        bar = "█" if "utf" in (console.encoding or "").lower() else "#"
    if len(answers) > 1:
        console.print(beside(answers, console.width, bar=bar))
    else:
        console.print(render(answers[0][1], console.width, bar=bar), soft_wrap=not console.is_terminal)


def _as_json(answers: Sequence[tuple[str, Answer]]) -> dict[str, Any]:
    """One model's answer as an object; several as a list, each with the model's label."""
    if len(answers) == 1:
        return answers[0][1].to_json()
    return {
        "text": answers[0][1].text,
        "answers": [{"model": label, **result.to_json()} for label, result in answers],
    }


def _show_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(Text(f"Warning: {printable(note)}"), soft_wrap=True)


def _explained(error: WorkbenchError) -> Text:
    return Text(printable(f"{error.message} {error.hint}".strip()))
