"""The warm inference process, which keeps the last models loaded (see `rpc` for the protocol).

    {"model": "starter", "text": "The [MASK].", "top_k": 5, "candidates": []}   a request
    {"model": "starter", "text": "A sentence.", "task": "surprisal"}            another
    {"result": {...}, "notes": []}                                              an answer

A cancelled request ends after the current pass of the model.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from workbench.errors import ModelError
from workbench.processes import quieten
from workbench.rpc import Check, Tell, serve

if TYPE_CHECKING:
    from workbench.inference.filler import Filler
    from workbench.inference.results import FillResult, Surprisal

KEPT_MODELS = 4
KEPT_SHARE = 4
"""Warm models take at most 1 / KEPT_SHARE of this machine's memory; the newest one always stays."""
THREADS = 4
"""Number of parallel requests: while one waits for a download, the others are answered."""


class WarmModels:
    """The last models, loaded: at most `kept`, and at most `most_bytes` of weights.

    A model whose folder has changed is reloaded.
    """

    def __init__(self, kept: int = KEPT_MODELS, most_bytes: int | None = None) -> None:
        self._kept = kept
        self._most_bytes = most_bytes or psutil.virtual_memory().total // KEPT_SHARE
        self._fillers: OrderedDict[str, tuple[object, Filler]] = OrderedDict()
        self._table = threading.Lock()
        # Loading sets global state in the libraries (and importing them twice at once can fail).
        self._loading = threading.Lock()

    def get(self, model: str) -> Filler:
        """The model, loaded if necessary. Raises ModelError."""
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
            loaded_stamp, filler = self._fillers.get(model, (None, None))
            if filler is None or loaded_stamp != stamp:
                return None
            self._fillers.move_to_end(model)
            return filler


class Answerer:
    """Answers requests with warm models."""

    def __init__(self) -> None:
        self._models = WarmModels()

    def answer(self, request: dict[str, Any], check: Check, _: Tell) -> dict[str, Any]:
        """Fill masks or compute surprisal. Raises UsageError, ModelError, Cancelled."""
        result = self._ask(request, check)
        return {"result": result.to_json(), "notes": result.notes}

    def _ask(self, request: dict[str, Any], check: Check) -> FillResult | Surprisal:
        filler = self._models.get(request["model"])
        check()
        if request.get("task") == "surprisal":
            return filler.surprisal(request["text"], check)
        return filler.fill(request["text"], request["top_k"], request.get("candidates", ()), check)


def main() -> None:
    """Serve standard input until it closes."""
    quieten(bars=False)
    serve(Answerer().answer, failed=lambda error: ModelError(f"Filling failed: {error}"), threads=THREADS)


def _stamp(model: str) -> object:
    """A value that changes when the files of a model folder change; None if it is not a folder."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return None
    files = [*folder.glob("*.safetensors"), *folder.glob("*.json")]
    return tuple(sorted((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


if __name__ == "__main__":
    main()
