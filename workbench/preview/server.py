"""The preview process, which previews a recipe's text or computes its statistics (`rpc` has the protocol).

    {"recipe": {...}, "model": "starter", "chunks": 3}              a request for a preview
    {"recipe": {...}, "model": "starter", "task": "statistics"}     a request for statistics
    {"progress": ["tokenizing", 300, 2000, "documents"]}            the progress of a request
    {"result": {...}}                                               a response

Requests are processed one at a time.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from workbench.errors import CorpusError
from workbench.events import Event, PhaseChanged, Progress
from workbench.paths import cache_folder
from workbench.processes import quieten
from workbench.recipe import Recipe
from workbench.rpc import Check, Tell, serve

if TYPE_CHECKING:
    from workbench.preview.drawing import Previewer

_TELL_SECONDS = 0.2


class Previews:
    """Answers requests with one `Previewer`, which caches the model for the next request."""

    def __init__(self) -> None:
        self._previewer: Previewer | None = None

    def answer(self, request: dict[str, Any], check: Check, tell: Tell) -> dict[str, Any]:
        """A preview of the text, or its statistics. Raises WorkbenchError and Cancelled."""
        from workbench.preview.drawing import Previewer

        self._previewer = self._previewer or Previewer(cache_folder())
        phase, told_at = "", 0.0

        def listen(event: Event) -> None:
            nonlocal phase, told_at
            check()
            if isinstance(event, PhaseChanged):
                phase, told_at = event.phase, 0.0
            elif isinstance(event, Progress) and time.monotonic() - told_at > _TELL_SECONDS:
                told_at = time.monotonic()
                tell([phase, event.done, event.total, event.unit])

        recipe = Recipe.parse({**request["recipe"], "model": request["model"]})
        if request.get("task") == "statistics":
            return {"result": self._previewer.count(recipe, listen)}
        return {"result": self._previewer.draw(recipe, request["chunks"], listen).to_json()}


def main() -> None:
    """Serve standard input until it closes."""
    quieten(bars=False)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no network requests for names that are being typed
    serve(Previews().answer, failed=lambda error: CorpusError(f"The preview failed: {error}"))


if __name__ == "__main__":
    main()
