"""Requests to a warm process on its standard input, answers on its standard output, a JSON a line.

    {"id": 7, ...}                  a request; the other keys differ by server
    {"cancel": 7}                   its answer is no longer wanted
    {"id": 7, "progress": ...}      how far the answer is
    {"id": 7, "result": ...}        the answer, perhaps with more keys
    {"id": 7, "error": {"kind": "UsageError", "message": "...", "hint": "..."}}

`serve` is the server's side, `Client` the side that starts the server and asks it. A server ends when its
standard input closes, which the system sees to however its parent went away.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NoReturn, Self

from workbench import errors
from workbench.errors import ModelError, WorkbenchError

_LONGEST_ANSWER = 64 * 2**20  # bytes
_SECONDS_TO_LEAVE = 2.0
_ATTEMPTS = 2

Message = dict[str, Any]
Tell = Callable[[Any], None]
"""Takes how far an answer is."""
Check = Callable[[], None]
"""A cancellation check, called between two steps of the work; raises Cancelled to end it."""
Answer = Callable[[Message, Check, Tell], Message]
"""Answers one request: the keys of the answer beside its `id`."""


class Cancelled(Exception):
    """The answer is no longer wanted."""


def never_cancelled() -> None:
    """A cancellation check that never cancels."""


class _Server:
    """Answers requests, `threads` at a time, into the file descriptor `output`."""

    def __init__(
        self, output: int, answer: Answer, failed: Callable[[Exception], WorkbenchError], threads: int
    ):
        self._output, self._answer, self._failed = output, answer, failed
        self._writing = threading.Lock()
        self._pool = ThreadPoolExecutor(threads)
        self._waiting: dict[int, tuple[Future[None], threading.Event]] = {}

    def take(self, line: bytes) -> None:
        """Begin with one request, or cancel one. Raises ValueError or KeyError for what is neither."""
        request = json.loads(line)
        if "cancel" in request:
            if waiting := self._waiting.pop(request["cancel"], None):
                work, cancelled = waiting
                cancelled.set()
                work.cancel()
            return
        number, cancelled = request["id"], threading.Event()
        work = self._pool.submit(self._work, request, cancelled)
        self._waiting[number] = work, cancelled
        work.add_done_callback(lambda _: self._waiting.pop(number, None))

    def _work(self, request: Message, cancelled: threading.Event) -> None:
        def check() -> None:
            if cancelled.is_set():
                raise Cancelled

        def tell(progress: Any) -> None:
            self._write({"id": request["id"], "progress": progress})

        try:
            check()
            answer = self._answer(request, check, tell)
        except Cancelled:
            return
        except WorkbenchError as error:
            answer = _error_message(error)
        except Exception as error:
            traceback.print_exc()  # to standard error, of which the client keeps the end
            answer = _error_message(self._failed(error))
        self._write({"id": request["id"], **answer})

    def _write(self, message: Message) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._writing, os.fdopen(self._output, "wb", closefd=False) as out:
                out.write(line)
        except BrokenPipeError:
            os._exit(0)


def serve(answer: Answer, *, failed: Callable[[Exception], WorkbenchError], threads: int = 1) -> NoReturn:
    """Answer the requests on standard input until it closes, `threads` at a time; then end the process.

    `failed` words an error that is no WorkbenchError. A line that is no request ends the process with code 1.
    """
    # Whatever a library prints must not come between the answers.
    output = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that started this one
    server, code = _Server(output, answer, failed, threads), 0
    try:
        for line in iter(sys.stdin.buffer.readline, b""):
            server.take(line)
    except Exception:
        traceback.print_exc()
        code = 1
    # Nobody is left to read an answer: threads that are at work are not waited for.
    sys.stderr.flush()
    os._exit(code)


def _error_message(error: WorkbenchError) -> Message:
    return {"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}


class Client:
    """Questions to one server, which the first question starts, and the next one after it died restarts.

    Belongs to one event loop. Any number of questions may be under way; a cancelled one is taken back.
    Use `close`, or `async with`; a client that is only dropped leaves no process either, once this one ends.
    `name` is the process's in messages.
    """

    def __init__(self, module: str, name: str, command: Sequence[str] = ()) -> None:
        # -P: a file in the current folder that is named like a library must not be taken for it.
        self._command = tuple(command) or (sys.executable, "-P", "-m", module)
        self._name = name
        self._starting: asyncio.Task[_Process] | None = None
        self._closed = False

    async def ask(self, question: Message, tell: Tell | None = None) -> Message:
        """The server's answer to a question. `tell` hears what the server says of its progress.

        Raises the error that it met; ModelError when there is no process to be had.
        """
        for last in range(_ATTEMPTS - 1, -1, -1):
            process = await self._running()
            try:
                answer = await process.ask(question, tell)
            except _ProcessEnded as ended:
                if last == 0 or self._closed:
                    raise ModelError(str(ended), "Is there enough memory for this model?") from ended
                continue
            if error := answer.get("error"):
                raise getattr(errors, error["kind"], ModelError)(error["message"], error["hint"])
            return answer
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """End the process. Questions without an answer raise ModelError."""
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
        """The server's process id while there is one."""
        process = self._started()
        return process.id if process else None

    def _started(self) -> _Process | None:
        """The process, if it is up and alive."""
        task = self._starting
        if task is None or not task.done() or task.cancelled() or task.exception():
            return None
        return task.result() if task.result().alive else None

    async def _running(self) -> _Process:
        if self._closed:
            raise ModelError(f"The {self._name} was closed.")
        if self._starting is None or (self._starting.done() and not self._started()):
            self._starting = asyncio.create_task(_Process.start(self._command, self._name))
        # Shielded: a question that is cancelled now must not leave the next one without a process.
        return await asyncio.shield(self._starting)


class _ProcessEnded(Exception):
    """The process went away before it answered."""


class _Process:
    """A running server: questions by number, answers in any order."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process, self._name = process, name
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[Message], Tell | None]] = {}
        self._last_words: deque[str] = deque(maxlen=20)
        self._listening = asyncio.gather(self._take_answers(), self._take_errors())

    @classmethod
    async def start(cls, command: Sequence[str], name: str) -> _Process:
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
            raise ModelError(f"The {name} cannot be started: {error.strerror}.") from error
        return cls(process, name)

    @property
    def id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._listening.done()

    async def ask(self, question: Message, tell: Tell | None) -> Message:
        """Raises _ProcessEnded."""
        if not self.alive:
            raise _ProcessEnded(self._how_it_ended())
        number = next(self._numbers)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer, tell
        self._send({"id": number, **question})
        try:
            return await answer
        except asyncio.CancelledError:
            self._send({"cancel": number})
            raise
        finally:
            self._waiting.pop(number, None)

    async def end(self) -> None:
        """Ask it to leave by closing its input; kill it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _SECONDS_TO_LEAVE)
        except TimeoutError:
            self._kill()
            await self._process.wait()
        await self._listening

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    def _send(self, message: Message) -> None:
        assert self._process.stdin is not None
        if self.alive and not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _take_answers(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                answer = json.loads(line)
                waiting, tell = self._waiting.get(answer["id"], (None, None))
                if "progress" in answer:
                    if tell:
                        tell(answer["progress"])
                elif waiting and not waiting.done():
                    waiting.set_result(answer)
        except (ValueError, KeyError):  # not an answer, or one beyond _LONGEST_ANSWER: it cannot go on
            self._kill()
        await self._process.wait()
        for waiting, _ in self._waiting.values():
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
        return f"The {self._name} ended unexpectedly ({how}). {last}".strip()
