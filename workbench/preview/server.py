"""The preview process: recipes in on standard input, what their texts are out on standard output, a JSON a
line.

    {"id": 7, "recipe": {...}, "model": "starter", "chunks": 3}     a request
    {"id": 8, "recipe": {...}, "model": "starter", "task": "statistics"}
    {"cancel": 7}                                                   it is no longer wanted
    {"id": 8, "progress": ["tokenizing", 300, 2000, "documents"]}   how far an answer is
    {"id": 7, "result": {...}}                                      an answer
    {"id": 7, "error": {"kind": "CorpusError", "message": "...", "hint": "..."}}

One request is worked on at a time. It ends when its standard input closes.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.events import Event, PhaseChanged, Progress
from workbench.inference.quiet import quieten
from workbench.paths import cache_folder

if TYPE_CHECKING:
    from workbench.preview.drawing import Previewer


_TELL_SECONDS = 0.2


class _Cancelled(Exception):
    """Nobody waits for this preview any more."""


class Server:
    """Takes requests on one thread and answers them on another."""

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self._requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._previewer: Previewer | None = None
        threading.Thread(target=self._work, daemon=True, name="preview").start()

    def take(self, line: bytes) -> None:
        """Put one request in the queue, or give one up, in whatever state it is."""
        request = json.loads(line)
        if "cancel" in request:
            self._cancelled.add(request["cancel"])
        else:
            self._requests.put(request)

    def _work(self) -> None:
        while True:
            request = self._requests.get()
            number = request["id"]
            try:
                self._give_up_if_cancelled(number)
                answer = {"id": number, "result": self._answer(request)}
            except _Cancelled:
                self._cancelled.discard(number)
                continue
            except WorkbenchError as error:
                answer = _error(number, type(error).__name__, error.message, error.hint)
            except Exception as error:
                traceback.print_exc()  # to standard error, of which the client keeps the end
                answer = _error(number, "CorpusError", f"The preview failed: {error}", "")
            self._write(json.dumps(answer).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        from workbench.preview.drawing import Previewer
        from workbench.recipe import Recipe

        self._previewer = self._previewer or Previewer(cache_folder())
        number, phase, told_at = request["id"], "", 0.0

        def listen(event: Event) -> None:
            nonlocal phase, told_at
            self._give_up_if_cancelled(number)
            if isinstance(event, PhaseChanged):
                phase, told_at = event.phase, 0.0
            elif isinstance(event, Progress) and time.monotonic() - told_at > _TELL_SECONDS:
                told_at = time.monotonic()
                progress = [phase, event.done, event.total, event.unit]
                self._write(json.dumps({"id": number, "progress": progress}).encode() + b"\n")

        recipe = Recipe.parse({**request["recipe"], "model": request["model"]})
        if request.get("task") == "statistics":
            return self._previewer.count(recipe, listen)
        return self._previewer.draw(recipe, request["chunks"], listen).to_json()

    def _give_up_if_cancelled(self, number: int) -> None:
        if number in self._cancelled:
            raise _Cancelled

    def _write(self, line: bytes) -> None:
        try:
            with os.fdopen(self._answers, "wb", closefd=False) as out:
                out.write(line)
        except BrokenPipeError:
            os._exit(0)


def _error(number: int, kind: str, message: str, hint: str) -> dict[str, Any]:
    return {"id": number, "error": {"kind": kind, "message": message, "hint": hint}}


def main() -> None:
    """Serve standard input until it closes."""
    # Whatever a library prints must not come between the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that started this one
    quieten()
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a name that is being typed is not asked for on the network
    server = Server(answers)
    for line in iter(sys.stdin.buffer.readline, b""):
        server.take(line)
    # Nobody is left to read an answer.
    os._exit(0)


if __name__ == "__main__":
    main()
