"""The warm inference process: the models used last, kept loaded (see `rpc` for how it is asked).

    {"model": "starter", "text": "The [MASK].", "top_k": 5, "candidates": []}   a request
    {"model": "starter", "text": "A sentence.", "task": "surprisal"}            another
    {"result": {...}, "notes": []}                                              an answer

A cancelled request ends between two passes of the model.
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


class Fillings:
    """Answers requests with warm models."""

    def __init__(self) -> None:
        self._models = WarmModels()

    def answer(self, request: dict[str, Any], check: Check, _: Tell) -> dict[str, Any]:
        """The masks filled, or the surprisal of the tokens. Raises UsageError, ModelError, Cancelled."""
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
    serve(Fillings().answer, failed=lambda error: ModelError(f"Filling failed: {error}"), threads=THREADS)


def _stamp(model: str) -> object:
    """Changes when the files of a model folder do; None for what is no folder."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return None
    files = [*folder.glob("*.safetensors"), *folder.glob("*.json")]
    return tuple(sorted((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


if __name__ == "__main__":
    main()
