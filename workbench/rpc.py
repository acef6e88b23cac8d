"""Requests to a warm process on its standard input, answers on its standard output, one JSON object per line.

    {"id": 7, ...}                  a request; the other keys differ by server
    {"cancel": 7}                   cancels a request
    {"id": 7, "progress": ...}      progress of a request
    {"id": 7, "result": ...}        the answer, perhaps with more keys
    {"id": 7, "error": {"kind": "UsageError", "message": "...", "hint": "..."}}

`serve` is the server; `Client` starts a server and sends requests. A server ends when its standard input
closes, which happens however its parent ends.
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
"""Receives the progress of a request."""
Check = Callable[[], None]
"""A cancellation check, called between two steps of the work; raises Cancelled to stop it."""
Answer = Callable[[Message, Check, Tell], Message]
"""Answers one request; returns the keys of the answer besides its `id`."""


class Cancelled(Exception):
    """The request was cancelled."""


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
        """Start or cancel a request. Raises ValueError or KeyError for an invalid line."""
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
            traceback.print_exc()  # to standard error; the client keeps the last lines
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

    `failed` words errors that are not WorkbenchErrors. An invalid line ends the process with code 1.
    """
    # Output of libraries must not mix with the answers.
    output = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the parent
    server, code = _Server(output, answer, failed, threads), 0
    try:
        for line in iter(sys.stdin.buffer.readline, b""):
            server.take(line)
    except Exception:
        traceback.print_exc()
        code = 1
    # No reader is left: do not wait for working threads.
    sys.stderr.flush()
    os._exit(code)


def _error_message(error: WorkbenchError) -> Message:
    return {"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}


class Client:
    """Sends requests to one server, which is started by the first request and restarted if it dies.

    Belongs to one event loop. Requests may run in parallel; cancelling one cancels it in the server. Use
    `close`, or `async with`; otherwise the server ends with this process. `name`: the server's in messages.
    """

    def __init__(self, module: str, name: str, command: Sequence[str] = ()) -> None:
        # -P: a file in the current folder must not shadow a library
        self._command = tuple(command) or (sys.executable, "-P", "-m", module)
        self._name = name
        self._starting: asyncio.Task[_Process] | None = None
        self._closed = False

    async def ask(self, request: Message, tell: Tell | None = None) -> Message:
        """The server's answer to a request. `tell` receives its progress.

        Raises the server's error; ModelError when there is no server.
        """
        for last in range(_ATTEMPTS - 1, -1, -1):
            process = await self._running()
            try:
                answer = await process.ask(request, tell)
            except _ProcessEnded as ended:
                if last == 0 or self._closed:
                    raise ModelError(str(ended), "Is there enough memory for this model?") from ended
                continue
            if error := answer.get("error"):
                raise getattr(errors, error["kind"], ModelError)(error["message"], error["hint"])
            return answer
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """End the server. Pending requests raise ModelError."""
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
        """The server's process id while it is running."""
        process = self._started()
        return process.id if process else None

    def _started(self) -> _Process | None:
        """The process, if it is started and alive."""
        task = self._starting
        if task is None or not task.done() or task.cancelled() or task.exception():
            return None
        return task.result() if task.result().alive else None

    async def _running(self) -> _Process:
        if self._closed:
            raise ModelError(f"The {self._name} was closed.")
        if self._starting is None or (self._starting.done() and not self._started()):
            self._starting = asyncio.create_task(_Process.start(self._command, self._name))
        # Shielded: cancelling this request must not cancel the start, which the next one needs.
        return await asyncio.shield(self._starting)


class _ProcessEnded(Exception):
    """The process ended before it answered."""


class _Process:
    """A running server: requests by number, answers in any order."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process, self._name = process, name
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[Message], Tell | None]] = {}
        self._last_lines: deque[str] = deque(maxlen=20)
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
                start_new_session=True,  # Ctrl-C and Ctrl-Z in the terminal must not reach it
            )
        except OSError as error:
            raise ModelError(f"Cannot start the {name}: {error.strerror}.") from error
        return cls(process, name)

    @property
    def id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._listening.done()

    async def ask(self, request: Message, tell: Tell | None) -> Message:
        """The answer to a request. Raises _ProcessEnded."""
        if not self.alive:
            raise _ProcessEnded(self._how_it_ended())
        number = next(self._numbers)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer, tell
        self._send({"id": number, **request})
        try:
            return await answer
        except asyncio.CancelledError:
            self._send({"cancel": number})
            raise
        finally:
            self._waiting.pop(number, None)

    async def end(self) -> None:
        """End the server by closing its input; kill it if it does not end in time."""
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
        except (ValueError, KeyError):  # not an answer, or one above _LONGEST_ANSWER: give up
            self._kill()
        await self._process.wait()
        for waiting, _ in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(_ProcessEnded(self._how_it_ended()))

    async def _take_errors(self) -> None:
        assert self._process.stderr is not None
        with suppress(ValueError):
            while line := await self._process.stderr.readline():
                self._last_lines.append(line.decode(errors="replace").rstrip())

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        last = next((line for line in reversed(self._last_lines) if line.strip()), "")
        return f"The {self._name} ended unexpectedly ({how}). {last}".strip()
