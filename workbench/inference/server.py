"""The warm inference process: requests in on standard input, answers out on standard output, a JSON a line.

    {"id": 7, "model": "starter", "text": "The [MASK].", "top_k": 5, "candidates": []}   a request
    {"id": 8, "model": "starter", "text": "A sentence.", "task": "surprisal"}             another
    {"cancel": 7}                                                         it is no longer wanted
    {"id": 7, "result": {...}, "notes": []}                               an answer
    {"id": 7, "error": {"kind": "UsageError", "message": "...", "hint": "..."}}

What is no longer wanted is given up between two passes of the model, and not answered.

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

import psutil

from workbench.errors import WorkbenchError
from workbench.inference.cancelled import Check, Withdrawn
from workbench.inference.quiet import quieten

if TYPE_CHECKING:
    from workbench.inference.filler import Filler
    from workbench.inference.results import FillResult, Surprisal

KEPT_MODELS = 4
KEPT_SHARE = 4
"""Of this machine's memory, at most one part in so many holds warm models; the newest stays in any case."""
THREADS = 4
"""Requests in work at once: while one waits for a download, the others are answered."""


class WarmModels:
    """The models used last, loaded, as many as `kept` and as `most_bytes` of weights allow.

    A folder that was written anew is loaded anew.
    """

    def __init__(self, kept: int = KEPT_MODELS, most_bytes: int | None = None) -> None:
        self._kept = kept
        self._most_bytes = most_bytes or psutil.virtual_memory().total // KEPT_SHARE
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
                while len(self._fillers) > 1 and not self._fits():
                    self._fillers.popitem(last=False)
            return filler

    def _fits(self) -> bool:
        held = sum(filler.size for _, filler in self._fillers.values())
        return len(self._fillers) <= self._kept and held <= self._most_bytes

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
        self._waiting: dict[int, tuple[Future[None], threading.Event]] = {}

    def take(self, line: bytes) -> None:
        """Begin with one request, or give one up."""
        request = json.loads(line)
        if "cancel" in request:
            work, withdrawn = self._waiting.pop(request["cancel"], (None, None))
            if work and withdrawn:
                withdrawn.set()
                work.cancel()
            return
        number, withdrawn = request["id"], threading.Event()
        work = self._pool.submit(self._answer, request, withdrawn)
        self._waiting[number] = (work, withdrawn)
        work.add_done_callback(lambda _: self._waiting.pop(number, None))

    def _answer(self, request: dict[str, Any], withdrawn: threading.Event) -> None:
        def check() -> None:
            if withdrawn.is_set():
                raise Withdrawn

        answer: dict[str, Any] = {"id": request["id"]}
        try:
            check()
            result = self._ask(request, check)
            answer |= {"result": result.to_json(), "notes": result.notes}
        except Withdrawn:
            return
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

    def _ask(self, request: dict[str, Any], check: Check) -> FillResult | Surprisal:
        filler = self._models.get(request["model"])
        check()
        if request.get("task") == "surprisal":
            return filler.surprisal(request["text"], check)
        return filler.fill(request["text"], request["top_k"], request.get("candidates", ()), check)

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
