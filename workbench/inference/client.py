"""Asks the warm inference process, and sees to it that there is one."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

from workbench import errors
from workbench.errors import ModelError, WorkbenchError
from workbench.inference.asking import Asking
from workbench.inference.results import FillResult, Surprisal

# -P: a file in the current folder that is named like a library must not be taken for it.
SERVER = (sys.executable, "-P", "-m", "workbench.inference.server")
_LONGEST_ANSWER = 64 * 2**20  # bytes
_SECONDS_TO_LEAVE = 2.0
_ATTEMPTS = 2
Told = Callable[[Any], None]
"""Hears how far an answer is."""


class InferenceClient:
    """Questions to one inference process, which the first question starts and a dead one's next restarts.

    Belongs to one event loop. Any number of `fill` calls may be under way; a cancelled one is taken back.
    Use `close`, or `async with`; a client that is only dropped leaves no process either, once this one ends.
    """

    def __init__(self, command: Sequence[str] = SERVER) -> None:
        self._command = tuple(command)
        self._starting: asyncio.Task[_Process] | None = None
        self._closed = False

    async def fill(self, model: str, text: str, top_k: int = 5, candidates: Sequence[str] = ()) -> FillResult:
        """The masks of `text`, filled by `model` (see `ModelChoice.path`).

        Raises UsageError or ModelError, as `Filler` does; ModelError also when the process cannot be had.
        """
        question = {"model": model, "text": text, "top_k": top_k, "candidates": list(candidates)}
        answer = await self.ask(question)
        return FillResult.from_json(answer["result"], tuple(answer["notes"]))

    async def surprisal(self, model: str, text: str) -> Surprisal:
        """How unexpected each token of `text` is to `model`. Raises as `fill` does."""
        answer = await self.ask({"model": model, "text": text, "task": "surprisal"})
        return Surprisal.from_json(answer["result"], tuple(answer["notes"]))

    async def answer(self, model: str, text: str, asking: Asking) -> FillResult | Surprisal:
        """What is asked about `text`. Raises as `fill` does."""
        if asking.surprisal:
            return await self.surprisal(model, text)
        return await self.fill(model, text, asking.top_k, asking.candidates)

    async def ask(self, question: dict[str, Any], told: Told | None = None) -> dict[str, Any]:
        """The server's answer to any of its questions. `told` hears what the server says of its progress.

        Raises the error that it met; ModelError when there is no process to be had.
        """
        for last in range(_ATTEMPTS - 1, -1, -1):
            process = await self._running()
            try:
                answer = await process.ask(question, told)
            except _ProcessEnded as ended:
                if last == 0 or self._closed:
                    raise ModelError(str(ended), "Is there enough memory for this model?") from ended
                continue
            if "error" in answer:
                raise _error(answer["error"])
            return answer
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """End the process. What is still asked raises ModelError."""
        self._closed = True
        if self._starting is not None:
            with suppress(WorkbenchError):
                await (await asyncio.shield(self._starting)).end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def process_id(self) -> int | None:
        """The inference process's id while there is one."""
        if self._starting is None or not self._starting.done() or self._starting.exception():
            return None
        process = self._starting.result()
        return process.id if process.alive else None

    async def _running(self) -> _Process:
        if self._closed:
            raise ModelError("The inference process was closed.")
        if self._starting is not None and self._starting.done():
            failed = self._starting.cancelled() or self._starting.exception() is not None
            if failed or not self._starting.result().alive:
                self._starting = None
        if self._starting is None:
            self._starting = asyncio.create_task(_Process.start(self._command))
        # Shielded: a question that is cancelled now must not leave the next one without a process.
        return await asyncio.shield(self._starting)


class _ProcessEnded(Exception):
    """The process went away before it answered."""


class _Process:
    """A running server: questions by number, answers in any order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._told: dict[int, Told] = {}
        self._last_words: deque[str] = deque(maxlen=20)
        self._listening = asyncio.gather(self._take_answers(), self._take_errors())

    @classmethod
    async def start(cls, command: Sequence[str]) -> _Process:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LONGEST_ANSWER,
                start_new_session=True,  # Ctrl-C and Ctrl-Z in the terminal are not for it
            )
        except OSError as error:
            raise ModelError(f"The inference process cannot be started: {error.strerror}.") from error
        return cls(process)

    @property
    def id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._listening.done()

    async def ask(self, question: dict[str, Any], told: Told | None) -> dict[str, Any]:
        """Raises _ProcessEnded."""
        if not self.alive:
            raise _ProcessEnded(self._how_it_ended())
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        if told:
            self._told[number] = told
        self._send({"id": number, **question})
        try:
            return await answer
        except asyncio.CancelledError:
            self._send({"cancel": number})
            raise
        finally:
            self._waiting.pop(number, None)
            self._told.pop(number, None)

    async def end(self) -> None:
        """Ask it to leave by closing its input; kill it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _SECONDS_TO_LEAVE)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await self._listening

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        if self.alive and not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _take_answers(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                answer = json.loads(line)
                if "progress" in answer:
                    if told := self._told.get(answer["id"]):
                        told(answer["progress"])
                    continue
                waiting = self._waiting.get(answer["id"])
                if waiting and not waiting.done():
                    waiting.set_result(answer)
        except (ValueError, KeyError):  # not an answer, or one beyond _LONGEST_ANSWER: it cannot go on
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(_ProcessEnded(self._how_it_ended()))

    async def _take_errors(self) -> None:
        assert self._process.stderr is not None
        with suppress(ValueError):
            while line := await self._process.stderr.readline():
                self._last_words.append(line.decode(errors="replace").rstrip())

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        last = next((line for line in reversed(self._last_words) if line.strip()), "")
        return f"The inference process ended unexpectedly ({how}). {last}".strip()


def _error(values: dict[str, str]) -> WorkbenchError:
    """The error that the server met, of the same kind."""
    kind = getattr(errors, values["kind"], ModelError)
    raised: WorkbenchError = kind(values["message"], values["hint"])
    return raised
