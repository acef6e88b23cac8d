"""The warm inference process: requests in on standard input, answers out on standard output, a JSON a line.

    {"id": 7, "model": "starter", "text": "The [MASK].", "top_k": 5}   a request
    {"cancel": 7}                                                      it is no longer wanted
    {"id": 7, "result": {...}, "notes": []}                            an answer
    {"id": 7, "error": {"kind": "UsageError", "message": "...", "hint": "..."}}

It ends when its standard input closes, which the system sees to however its parent went away.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.inference.quiet import quieten

if TYPE_CHECKING:
    from workbench.inference.filler import Filler

KEPT_MODELS = 4
THREADS = 4
"""Requests in work at once: while one waits for a download, the others are answered."""


class WarmModels:
    """The models used last, loaded. A folder that was written anew is loaded anew."""

    def __init__(self, kept: int = KEPT_MODELS) -> None:
        self._kept = kept
        self._fillers: OrderedDict[str, tuple[object, Filler]] = OrderedDict()
        self._table = threading.Lock()
        # Loading sets global state in the libraries (and importing them twice at once can fail).
        self._loading = threading.Lock()

    def get(self, model: str) -> Filler:
        """The model, loaded now if need be. Raises ModelError."""
        stamp = _stamp(model)
        filler = self._warm(model, stamp)
        if filler:
            return filler
        with self._loading:
            filler = self._warm(model, stamp)
            if filler:
                return filler
            from workbench.inference.filler import Filler

            filler = Filler.load(model)
            with self._table:
                self._fillers[model] = (stamp, filler)
                self._fillers.move_to_end(model)
                while len(self._fillers) > self._kept:
                    self._fillers.popitem(last=False)
            return filler

    def _warm(self, model: str, stamp: object) -> Filler | None:
        with self._table:
            found = self._fillers.get(model)
            if found is None or found[0] != stamp:
                return None
            self._fillers.move_to_end(model)
            return found[1]


class Server:
    """Answers requests until there are no more."""

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self._writing = threading.Lock()
        self._models = WarmModels()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fill")
        self._waiting: dict[int, Future[None]] = {}

    def take(self, line: bytes) -> None:
        """Begin with one request, or drop one that has not begun."""
        request = json.loads(line)
        if "cancel" in request:
            waiting = self._waiting.pop(request["cancel"], None)
            if waiting:
                waiting.cancel()
            return
        number = request["id"]
        self._waiting[number] = work = self._pool.submit(self._answer, request)
        work.add_done_callback(lambda _: self._waiting.pop(number, None))

    def _answer(self, request: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": request["id"]}
        try:
            result = self._models.get(request["model"]).fill(request["text"], request["top_k"])
            answer |= {"result": result.to_json(), "notes": result.notes}
        except WorkbenchError as error:
            answer["error"] = {
                "kind": type(error).__name__,
                "message": error.message,
                "hint": error.hint,
            }
        except Exception as error:
            traceback.print_exc()  # to standard error, of which the client keeps the end
            answer["error"] = {"kind": "ModelError", "message": f"Filling failed: {error}", "hint": ""}
        self._write(json.dumps(answer).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        try:
            with self._writing, os.fdopen(self._answers, "wb", closefd=False) as out:
                out.write(line)
        except BrokenPipeError:
            os._exit(0)


def main() -> None:
    """Serve standard input until it closes."""
    # Whatever a library prints must not come between the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that started this one
    quieten()
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    server = Server(answers)
    for line in iter(sys.stdin.buffer.readline, b""):
        server.take(line)
    # Nobody is left to read an answer: threads in the midst of one are not waited for.
    os._exit(0)


def _stamp(model: str) -> object:
    """Changes when the files of a model folder do; None for what is no folder."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return None
    files = [*folder.glob("*.safetensors"), *folder.glob("*.json")]
    return tuple(sorted((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


if __name__ == "__main__":
    main()
